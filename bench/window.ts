// window: time and memory of a token by position, with the model's window and without.

import { Buffers } from "../engine/gpu/buffers.ts";
import { Pipelines } from "../engine/gpu/dispatch.ts";
import { allocate, ringLength } from "../engine/graph/activations.ts";
import { prepareDecoder } from "../engine/graph/prepare.ts";
import { modelShape, type Shape } from "../engine/graph/shape.ts";
import { exactly, figure, repeat } from "./measure.ts";
import { runSteps, stepCount } from "./steps.ts";
import type { Bench, Parts, Suite } from "./suite.ts";

/** Positions, in windows. */
const WINDOWS = [0, 0.5, 1, 2, 4, 8, 16];
/** Room for the steps of a measurement after the last position. */
const ROOM = 64;
/** Maximum bytes of a cache without a window, which is only for comparison. */
const MAX_CACHE_BYTES = 2 * 2 ** 30;

export const window: Suite = async (bench) => {
  const { W } = bench.loaded.config;
  if (W === null) {
    bench.note(
      "window: this model has none. Choose a model with a window, such as Mistral 7B v0.1 or the embedded one",
    );
    return;
  }
  await bench.loaded.measure(async ({ gpu, decoder, weights }) => {
    const positions = WINDOWS.map((windows) => Math.floor(windows * W));
    await measure(
      bench,
      { gpu, decoder, weights },
      `${W}`,
      positions.filter((position) => position + ROOM <= decoder.shape.positions),
    );
    if (bench.signal.aborted) return;
    const { fitting, shape } = unlimited(bench, { gpu, decoder, weights }, positions);
    const buffers = new Buffers(gpu.device);
    try {
      // The same weights with another cache.
      const activations = await gpu.scoped(() => allocate(gpu.device, buffers, shape));
      const pipelines = Pipelines.of(gpu.device);
      const without = await prepareDecoder(gpu, pipelines, buffers, shape, weights, activations);
      await measure(bench, { gpu, decoder: without, weights }, "none", fitting);
    } finally {
      buffers.destroy();
    }
  });
};

/** The shape without a window, and the positions for which its cache fits. */
function unlimited({ loaded, note }: Bench, { gpu, decoder }: Parts, positions: readonly number[]) {
  const { cacheFormat, kernels } = decoder.shape;
  const shapeFor = (contextLength: number): Shape =>
    modelShape({ ...loaded.config, W: null }, { cacheFormat, kernels, contextLength, chunkLength: 1 });
  const fits = (position: number): boolean => {
    const bytes = 4 * ringLength(shapeFor(position + ROOM));
    return bytes <= gpu.adapter.maxBindingBytes && bytes * decoder.shape.L <= MAX_CACHE_BYTES;
  };
  const fitting = positions.filter(fits);
  if (fitting.length < positions.length) {
    note(`window: without a window, a cache for more than ${fitting.at(-1)} tokens does not fit`);
  }
  return { fitting, shape: shapeFor((fitting.at(-1) ?? 0) + ROOM) };
}

async function measure(
  { budget, signal, doing, add }: Bench,
  { decoder }: Parts,
  window: string,
  positions: readonly number[],
): Promise<void> {
  decoder.configure(0, { settings: {}, seed: 0, prompt: [] });
  const { shape } = decoder;
  const slotBytes = (4 * shape.L * ringLength(shape)) / shape.S;
  for (const position of positions) {
    if (signal.aborted) return;
    doing(`position ${position}, window ${window}`);
    const count = await stepCount(decoder, position, budget.seconds);
    const runs = await repeat(budget, signal, () => runSteps(decoder, position, count));
    const params = { window, position };
    add("millisecondsPerToken", "ms", figure(runs.map(({ seconds }) => (1000 * seconds) / count)), params);
    // A ring has its size from the start; without a window a cache grows with the conversation.
    const slots = window === "none" ? position + 1 : shape.S;
    add("cacheBytes", "bytes", exactly(slots * slotBytes), params);
  }
}
