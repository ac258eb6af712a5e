// The data that Inspect shows: the time of each kernel, attention weights, candidates for the next token.
// A lazy chunk. A look does not change the conversation: its ring stays as it was.
import {
  attentionVariants,
  attentionWeights,
  attentionWeightsLength,
  type RingSize,
} from "../kernels/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { likeliest, logSumExp } from "./answer/log-probs.ts";
import type { AttentionWeights, Candidate, KernelTime } from "./api.ts";
import { encode, launch, Pipelines, readBuffer, usage } from "./gpu/dispatch.ts";
import type { Gpu } from "./gpu/gpu.ts";
import { Profiler } from "./gpu/profiler.ts";
import type { Decoder } from "./graph/decoder.ts";
import { outOfRange } from "./options/parameter.ts";
import type { RingState } from "./scheduler/ring-state.ts";

export interface Inspected {
  readonly gpu: Gpu;
  readonly decoder: Decoder;
  readonly ring: RingState;
}

/**
 * A step is timed at most this often, and for this many milliseconds: browsers round timestamps, and a mean
 * recovers them.
 */
const ROUNDS = 8;
const ROUNDS_MS = 250;

/**
 * Times a step of the last token in the ring, which writes the same keys and values again. In an empty ring
 * it runs a token in the first slot, which the next sequence overwrites.
 */
export async function profileStep({ gpu, decoder, ring }: Inspected): Promise<KernelTime[]> {
  const position = Math.max(0, ring.ids.length - 1);
  const dispatches = decoder.dispatchesOf(position);
  const profiler = new Profiler(gpu);
  const totals = dispatches.map(() => 0);
  let rounds = 0;
  try {
    const began = performance.now();
    while (rounds === 0 || (rounds < ROUNDS && performance.now() - began < ROUNDS_MS)) {
      decoder.setRow(position, ring.ids.at(-1), ring.index);
      (await profiler.run(dispatches)).forEach((time, i) => {
        totals[i]! += time;
      });
      rounds++;
    }
  } finally {
    profiler.dispose();
  }
  const kernels = new Map<string, KernelTime>();
  dispatches.forEach(({ label: kernel }, i) => {
    const { launches = 0, milliseconds = 0 } = kernels.get(kernel) ?? {};
    kernels.set(kernel, {
      kernel,
      launches: launches + 1,
      milliseconds: milliseconds + totals[i]! / rounds,
      clock: profiler.clock,
    });
  });
  return [...kernels.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

/** Prefills all ids but the last, and runs the last one up to this layer's attention. @throws RangeError */
export async function attentionOf(
  { gpu, decoder, ring }: Inspected,
  ids: readonly number[],
  { layer, head, signal }: { readonly layer: number; readonly head?: number; readonly signal?: AbortSignal },
): Promise<AttentionWeights> {
  const { H, G, L } = decoder.shape;
  checkIndex("layer", layer, L);
  if (head !== undefined) checkIndex("head", head, H);
  ring.use(undefined, decoder);
  const held = ring.holds(ids);
  const start = ring.reusable(ids);
  const last = ids.length - 1;
  if (!held) ring.begin(ids, start);
  try {
    await decoder.prefill(ring.index, ids.slice(start, last), start, signal);
    decoder.setRow(last, ids[last], ring.index);
    const rows = await weightsOfLastStep(gpu, decoder, layer, last);
    // The layers above have not computed the last token.
    if (!held) ring.commit(ids.slice(0, last), last + 1, "prefill");
    return {
      layer,
      firstPosition: last + 1 - rows[0]!.length,
      heads: H,
      groups: G,
      weights: head === undefined ? rows : [rows[head]!],
    };
  } catch (error) {
    ring.begin(ids, 0);
    throw error;
  }
}

/** Runs the decode step of `position` up to a layer's attention, and reads the weights of each query head. */
async function weightsOfLastStep(
  gpu: Gpu,
  decoder: Decoder,
  layer: number,
  position: number,
): Promise<Float32Array<ArrayBuffer>[]> {
  const { device } = gpu;
  const { activations, shape } = decoder;
  const dispatches = decoder.dispatchesOf(position);
  const { cacheFormat, kernels, B, H, G, d, S, W } = shape;
  const size: RingSize = { T: 1, B, H, G, d, S, W };
  // Each layer of a step has one dispatch that stores the token's key and attends.
  const { name } = attentionVariants[kernels.attention.decode].decode(cacheFormat, d);
  const ends = dispatches.flatMap(({ kernel }, i) => (kernel.name === name ? [i + 1] : []));
  const out = device.createBuffer({
    label: "attention weights",
    size: 4 * attentionWeightsLength(size),
    usage: usage.storage | usage.copySrc,
  });
  try {
    const { qkv, rows } = activations.decode;
    const ring = activations.caches[layer]!;
    const look = launch(attentionWeights(cacheFormat), size, qkv, ring, rows, out);
    const dispatch = await gpu.scoped(() => Pipelines.of(device).prepare(look));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass, [...dispatches.slice(0, ends[layer]), dispatch]);
    pass.end();
    device.queue.submit([encoder.finish()]);
    const bytes = await gpu.settle(readBuffer(device, out));
    const visible = Math.min(position + 1, W);
    return Array.from({ length: H }, (_, h) =>
      new Float32Array(bytes, (h * bytes.byteLength) / H, visible).slice(),
    );
  } finally {
    out.destroy();
  }
}

/** The likeliest next tokens. */
export function candidatesOf(
  logits: Float32Array,
  count: number,
  tokenizer: Tokenizer | undefined,
): Candidate[] {
  const logSum = logSumExp(logits);
  return likeliest(logits, count).map((id) => ({
    id,
    text: tokenizer?.stream().has(id) ? tokenizer.decode([id], { continues: true, skipSpecial: false }) : "",
    probability: Math.exp(logits[id]! - logSum),
  }));
}

function checkIndex(name: string, value: number, end: number): void {
  if (Number.isInteger(value) && value >= 0 && value < end) return;
  throw outOfRange(name, `expected a whole number from 0 to ${end - 1}, got ${value}.`);
}
