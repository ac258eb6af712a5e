// Picks the next token of each row; kernels/sampling.ts has the rules. One thread has a row: sample.wat
// passes over its logits, and what is rare or short is here.
import { padded } from "../formats/table.ts";
import type { SampleSize } from "../sample.ts";
import {
  biased,
  EXCLUDED,
  isAllowed,
  LARGEST,
  maskWords,
  penalised,
  readParams,
  SAMPLING_WORDS,
  type SamplingParams,
  USES_BIAS,
  USES_COUNTS,
  USES_MASK,
} from "../sampling.ts";
import { OCTAVE } from "../sampling-arithmetic.ts";
import type { Operand, Operation, Thread } from "./operation.ts";

/** Distances are below it, but for tokens 64 octaves away, which are never drawn. */
const FARTHEST = 0x7ffffffe;

/** Items are rows. */
export const sample: Operation<object, SampleSize> = (_, { T, V }, operands, thread) => {
  const [logits, counts, bias, params, rows, mask] = operands as [
    Operand,
    Operand,
    Operand,
    Operand,
    Operand,
    Operand,
  ];
  const stride = padded(V);
  const row = new Row(V, thread);
  const { x } = row;
  return [
    {
      items: T,
      run(start, end) {
        for (let t = start; t < end; t++) {
          const sequence = rows.u32[4 * t + 2]!;
          const first = sequence * V;
          const p = readParams(params.u32.subarray(sequence * SAMPLING_WORDS));
          row.load(logits.f32.subarray(t * stride, (t + 1) * stride));
          if (p.flags & USES_BIAS) for (let i = 0; i < V; i++) x[i] = biased(x[i]!, bias.f32[first + i]!);
          if (p.flags & USES_COUNTS)
            for (let i = 0; i < V; i++) {
              const seen = counts.u32[first + i]!;
              if (seen !== 0) x[i] = penalised(x[i]!, seen, p);
            }
          if (p.flags & USES_MASK)
            for (let i = 0; i < V; i++) if (!isAllowed(mask.u32, sequence * maskWords(V), i)) x[i] = EXCLUDED;
          if (p.scale > 0) logits.f32.set(x, t * stride);

          const position = rows.u32[4 * t + 1]! + 1;
          const id = row.pick(p, position);
          rows.u32[4 * t] = id;
          rows.u32[4 * t + 1] = position;
          counts.u32[first + id]! += 1;
        }
      },
    },
  ];
};

/** Bytes that `race` works in. */
const RACE_BYTES = 64;
/** Of a digit of a distance in `nearest`. */
const BINS = 2 ** 11;

/** The logits of a row in scratch. */
class Row {
  /** Padding is excluded. */
  readonly x: Float32Array;
  readonly #V: number;
  readonly #compiled: Thread["compiled"];
  /** For each token its distance from the likeliest, and its weight in a search. */
  readonly #far: Uint32Array;
  readonly #weight: Uint32Array;
  /** The same of the tokens among which a search goes on. */
  readonly #nearFar: Uint32Array;
  readonly #nearWeight: Uint32Array;
  readonly #bins = new Float64Array(BINS);
  readonly #work: number;

  constructor(V: number, { compiled, heap, scratch }: Thread) {
    const length = padded(V);
    const at = scratch(5 * 4 * length + RACE_BYTES);
    const part = (i: number): [number, number] => [at / 4 + i * length, at / 4 + (i + 1) * length];
    this.x = heap.f32.subarray(...part(0));
    this.#far = heap.u32.subarray(...part(1));
    this.#weight = heap.u32.subarray(...part(2));
    this.#nearFar = heap.u32.subarray(...part(3));
    this.#nearWeight = heap.u32.subarray(...part(4));
    this.#work = at + 5 * 4 * length;
    this.#V = V;
    this.#compiled = compiled;
  }

  load(logits: Float32Array): void {
    this.x.set(logits);
    this.#compiled.finiteRow(this.x.byteOffset, this.x.length);
    this.x.fill(EXCLUDED, this.#V);
  }

  /** The token of these logits. */
  pick(p: SamplingParams, position: number): number {
    const { x } = this;
    const best = this.#compiled.largest(x.byteOffset, x.length);
    if (p.scale === 0 || best <= -LARGEST) return x.indexOf(best);

    const far = this.#far.byteOffset;
    this.#compiled.distances(x.byteOffset, x.length, best, p.scale, far);
    let limit = FARTHEST;
    if (p.topK > 0 && p.topK < this.#V) {
      this.#weight.fill(1);
      limit = Math.min(limit, this.#nearest(p.topK));
    }
    if (p.topP > 0) {
      const total = this.#compiled.masses(far, x.length, limit, this.#weight.byteOffset);
      limit = this.#nearest(Math.max(1, Number((BigInt(total) * BigInt(p.topP)) >> 32n)));
    }
    limit = Math.min(limit, p.farthest);
    const [low, high] = p.seed as [number, number];
    return this.#compiled.race(far, x.length, limit, position, low, high, this.#work);
  }

  /** The smallest distance within which the tokens together have this weight. */
  #nearest(wanted: number): number {
    const [far, weight, nearFar, nearWeight] = [this.#far, this.#weight, this.#nearFar, this.#nearWeight];
    // Usually a few likely tokens have it.
    for (const octaves of [8, 16, 32, 64]) {
      const count = this.#compiled.near(
        ...([far.byteOffset, far.length, weight.byteOffset, octaves * OCTAVE - 1] as const),
        ...([nearFar.byteOffset, nearWeight.byteOffset] as const),
      );
      let sum = 0;
      for (let i = 0; i < count; i++) sum += nearWeight[i]!;
      if (sum >= wanted) return this.#search(wanted, count);
    }
    return FARTHEST;
  }

  /**
   * The same among the first `count` near tokens, which have more. Radix descent: 11 bits of the distance,
   * then 10, then 10, each among the tokens of one bin only.
   */
  #search(wanted: number, count: number): number {
    const [far, weight, bins] = [this.#nearFar, this.#nearWeight, this.#bins];
    let [rest, length] = [wanted, count];
    for (let shift = 20; shift >= 0; shift -= 10) {
      bins.fill(0);
      for (let i = 0; i < length; i++) bins[(far[i]! >>> shift) & (BINS - 1)]! += weight[i]!;
      let digit = 0;
      while (bins[digit]! < rest) rest -= bins[digit++]!;
      let near = 0;
      for (let i = 0; i < length; i++) {
        if (((far[i]! >>> shift) & (BINS - 1)) !== digit) continue;
        far[near] = far[i]!;
        weight[near++] = weight[i]!;
      }
      length = near;
    }
    return far[0]!;
  }
}
