// The lists of forward.ts made ready to run: pipelines compiled, bind groups made, once at load. The decode
// loop makes none.

import type { Buffers } from "../gpu/buffers.ts";
import { type Dispatch, type Launch, type Pipelines, withRows } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Activations } from "./activations.ts";
import { Decoder, type StepLists } from "./decoder.ts";
import { BLOCK_SIZES, copyPrefix, decode, logits, prefill, sampleTokens, score } from "./forward.ts";
import { type Shape, STEPS_IN_FLIGHT } from "./shape.ts";
import type { Weights } from "./weights.ts";

/** Prepares the lists and a decoder that runs them. */
export async function prepareDecoder(
  gpu: Gpu,
  pipelines: Pipelines,
  buffers: Buffers,
  shape: Shape,
  weights: Weights,
  activations: Activations,
): Promise<Decoder> {
  const ready = (launches: Launch[]) => Promise.all(launches.map((launch) => pipelines.prepare(launch)));
  const prepared = await gpu.scoped(async () => ({
    prefill: await ready(prefill(shape, weights, activations)),
    score: await ready(score(shape, weights, activations)),
    copyPrefix: await ready(shape.B > 1 ? copyPrefix(shape, activations) : []),
    steps: await prepareSteps(shape, weights, activations, ready),
    staging: Array.from({ length: STEPS_IN_FLIGHT + 1 }, (_, i) =>
      buffers.staging(`tokens ${i}`, 4 * shape.parallel),
    ),
  }));
  return new Decoder(gpu, shape, activations, prepared);
}

async function prepareSteps(
  shape: Shape,
  weights: Weights,
  activations: Activations,
  ready: (launches: Launch[]) => Promise<Dispatch[]>,
): Promise<StepLists[]> {
  const steps: StepLists[] = [];
  for (const tokensPerBlock of BLOCK_SIZES) {
    if (steps.length === shape.parallel) break;
    const lists = {
      decode: await ready(decode(shape, weights, activations, tokensPerBlock)),
      logits: await ready(logits(shape, weights, activations, tokensPerBlock)),
      sample: await ready(sampleTokens(shape, activations, tokensPerBlock)),
    };
    // The largest block serves all larger numbers of rows, in several blocks.
    const largest =
      tokensPerBlock === BLOCK_SIZES.at(-1) ? shape.parallel : Math.min(tokensPerBlock, shape.parallel);
    while (steps.length < largest) steps.push(forRows(lists, steps.length + 1));
  }
  return steps;
}

const forRows = ({ decode, logits, sample }: StepLists, T: number): StepLists => {
  const list = (dispatches: readonly Dispatch[]) => dispatches.map((dispatch) => withRows(dispatch, T));
  return { decode: list(decode), logits: list(logits), sample: list(sample) };
};
