import { padded } from "./formats/format.ts";
import type { Buffer, Kernel } from "./kernel.ts";
import source from "./sample.wgsl?raw";
import {
  biased,
  EXCLUDED,
  finite,
  isAllowed,
  LARGEST,
  maskWords,
  penalised,
  readParams,
  SAMPLING_WORDS,
  type SamplingParams,
  type SamplingSettings,
  samplingParams,
  USES_BIAS,
  USES_COUNTS,
  USES_MASK,
} from "./sampling.ts";
import { log2Exponential, mass, OCTAVE, philox } from "./sampling-arithmetic.ts";
import octaves from "./snippets/octaves.wgsl?raw";
import ordered from "./snippets/ordered.wgsl?raw";
import philoxSource from "./snippets/philox.wgsl?raw";
import nearest from "./snippets/sample-nearest.wgsl?raw";
import wideInteger from "./snippets/wide-integer.wgsl?raw";
import winner from "./snippets/winner.wgsl?raw";

export interface SampleSize {
  /** Rows of this pass, each of a sequence of its own. */
  T: number;
  /** Rings, one per sequence. */
  B: number;
  V: number;
  /** Tests only: the contents of `params`. */
  mode?: Mode;
}

const IN_PROMPT = 0x80000000;

const penalties = {
  repetitionPenalty: 1.3,
  frequencyPenalty: 0.2,
  presencePenalty: -0.4,
  logitBias: { 0: 1 },
};
const modes = {
  greedy: [{}, penalties],
  temperature: [{ temperature: 1 }, { temperature: 0.5, ...penalties }],
  topK: [
    { temperature: 1, topK: 1 },
    { temperature: 2, topK: 40 },
    { temperature: 0.7, topK: 1e6 },
  ],
  topP: [
    { temperature: 1, topP: 0.9 },
    { temperature: 2, topP: 0.3 },
    { temperature: 1, topP: 0 },
  ],
  minP: [
    { temperature: 1, minP: 0.1 },
    { temperature: 1.5, minP: 1 },
  ],
  mixed: [
    { temperature: 1.2, topK: 50, topP: 0.95, minP: 0.01, ...penalties },
    {},
    { temperature: 0.1, topP: 0.5 },
  ],
  masked: [{}, { temperature: 1, topK: 3 }, { temperature: 1e30 }, { temperature: 0.7, ...penalties }],
} satisfies Record<string, SamplingSettings[]>;
type Mode = keyof typeof modes;

/**
 * Picks the next token of each of T rows; kernels/sampling.ts has the rules and `params`. Counts, bias,
 * params and mask are those of the row's sequence. Writes rows[t] = { id, position + 1, sequence, 0 }, adds
 * the token to `counts`, and overwrites `logits`.
 */
export const sample: Kernel<SampleSize> = {
  name: "sample",
  source: [source, ordered, winner, nearest, octaves, philoxSource, wideInteger],
  cpu: { op: "sample" },
  testSizes: (Object.keys(modes) as Mode[]).flatMap((mode) => [
    { T: 3, B: 5, V: 257, mode },
    { T: 4, B: 4, V: 1, mode },
    { T: 9, B: 9, V: 5, mode },
    { T: 2, B: 2, V: 32000, mode },
  ]),
  bindings: ({ T, B, V }) => [
    { name: "logits", type: "f32", length: T * padded(V), writes: true },
    { name: "counts", type: "u32", length: B * V, writes: true },
    { name: "bias", type: "f32", length: B * V },
    { name: "params", type: "u32", length: B * SAMPLING_WORDS },
    { name: "rows", type: "u32", length: T * 4, writes: true },
    { name: "mask", type: "u32", length: B * maskWords(V) },
  ],
  constants: ({ V }) => ({ V, STRIDE: padded(V) }),
  workgroups: ({ T }) => [T],
  cost: ({ T, B }) => ({ passes: { counts: T / B, bias: T / B, params: T / B, mask: T / B } }),
  fill: contents,
  reference({ T, V }, logits, counts, bias, params, rows, mask) {
    for (let t = 0; t < T; t++) {
      const sequence = rows[4 * t + 2]!;
      const first = sequence * V;
      const p = readParams(params.subarray(sequence * SAMPLING_WORDS, (sequence + 1) * SAMPLING_WORDS));
      const row = logits.subarray(t * padded(V), (t + 1) * padded(V));
      const x = Float32Array.from({ length: V }, (_, i) =>
        p.flags & USES_MASK && !isAllowed(mask, sequence * maskWords(V), i)
          ? EXCLUDED
          : adjusted(row[i]!, counts[first + i]!, bias[first + i]!, p),
      );
      if (p.scale > 0) {
        row.fill(EXCLUDED);
        row.set(x);
      }
      const position = rows[4 * t + 1]! + 1;
      const id = pick(x, p, position);
      rows[4 * t] = id;
      rows[4 * t + 1] = position;
      counts[first + id]! += 1;
    }
  },
};

function adjusted(logit: number, seen: number, bias: number, p: SamplingParams): number {
  let x = finite(logit);
  if (p.flags & USES_BIAS) x = biased(x, bias);
  return p.flags & USES_COUNTS ? penalised(x, seen, p) : x;
}

function pick(x: Float32Array, p: SamplingParams, position: number): number {
  const best = x.reduce((a, b) => Math.max(a, b));
  if (p.scale === 0 || best <= -LARGEST) return x.indexOf(best);
  const distances = x.map((value) => Math.fround(Math.fround(best - value) * p.scale));
  const far = Array.from(distances, (distance) => Math.floor(Math.min(distance, 64 * OCTAVE)));

  let kept = far.filter((distance) => distance < 64 * OCTAVE).sort((a, b) => a - b);
  if (p.topK > 0) kept = firstToReach(p.topK, kept, () => 1);
  if (p.topP > 0) {
    const total = kept.reduce((sum, distance) => sum + mass(distance), 0);
    const target = Number((BigInt(total) * BigInt(p.topP)) >> 32n);
    kept = firstToReach(Math.max(1, target), kept, mass);
  }
  const limit = Math.min(kept.at(-1)!, p.farthest);

  let winner = 0;
  let first = Infinity;
  for (let i = 0; i < x.length; i++) {
    if (far[i]! > limit) continue;
    const time = far[i]! + log2Exponential(philox([i >>> 2, position, 0, 0], p.seed)[i % 4]!);
    if (time < first) [winner, first] = [i, time];
  }
  return winner;
}

/** The start of a sorted list whose weights reach the target, and all entries equal to its last one. */
function firstToReach(
  target: number,
  sorted: readonly number[],
  weight: (distance: number) => number,
): number[] {
  let sum = 0;
  for (const last of sorted) {
    sum += weight(last);
    if (sum >= target) return sorted.filter((distance) => distance <= last);
  }
  return [...sorted];
}

function contents(
  { T, B, V, mode = "greedy" }: SampleSize,
  name: string,
  random: () => number,
): Buffer | undefined {
  if (name === "logits")
    return Float32Array.from({ length: T * padded(V) }, () => (random() / 2 ** 32) * 30 - 10);
  if (name === "counts") {
    return Uint32Array.from({ length: B * V }, () =>
      random() % 3 ? 0 : (random() % 2 ? IN_PROMPT : 0) + (random() % 4),
    );
  }
  if (name === "rows")
    return Uint32Array.from(
      { length: T * 4 },
      (_, i) => [random() % V, random() % 5000, B - 1 - (i >> 2), 0][i % 4]!,
    );
  // At least one token is allowed: the host refuses other masks.
  if (name === "mask")
    return Uint32Array.from({ length: B * maskWords(V) }, (_, i) =>
      i % maskWords(V) === 0 ? random() | 1 : random(),
    );
  if (name !== "params") return undefined;
  const sequences = Array.from({ length: B }, (_, b) =>
    samplingParams(modes[mode][b % modes[mode].length]!, random(), mode === "masked"),
  );
  return Uint32Array.from(sequences.flatMap((words) => [...words]));
}
