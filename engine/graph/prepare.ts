// The lists of forward.ts made ready to run: pipelines compiled, bind groups made, once at load. The decode
// loop makes none.

import type { Buffers } from "../gpu/buffers.ts";
import { type Dispatch, type Launch, type Pipelines, withRows } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { Submitter } from "../gpu/submitter.ts";
import type { Activations } from "./activations.ts";
import type { AdapterPass } from "./adapted.ts";
import { Decoder } from "./decoder.ts";
import { BLOCK_SIZES, copyPrefix, decode, logits, prefill, sampleTokens, score } from "./forward.ts";
import { type Shape, STEPS_IN_FLIGHT } from "./shape.ts";
import type { Lists, StepLists } from "./step-lists.ts";
import type { Weights } from "./weights.ts";

/** Prepares the lists and a decoder that runs them. @param lost the decoder on a device that was lost */
export async function prepareDecoder(
  gpu: Gpu,
  pipelines: Pipelines,
  buffers: Buffers,
  shape: Shape,
  weights: Weights,
  activations: Activations,
  lost?: Decoder,
): Promise<Decoder> {
  const prepared = await gpu.scoped(async () => ({
    lists: await prepareLists(pipelines, shape, weights, activations),
    copyPrefix: await readyOn(pipelines)(shape.B > 1 ? copyPrefix(shape, activations) : []),
    staging: Array.from({ length: STEPS_IN_FLIGHT + 1 }, (_, i) =>
      buffers.staging(`tokens ${i}`, 4 * shape.parallel),
    ),
  }));
  return new Decoder(gpu, new Submitter(gpu, lost?.submitter), shape, activations, prepared);
}

/** Prepares what the decoder runs. @param adapters of either pass, for rows that have one */
export async function prepareLists(
  pipelines: Pipelines,
  shape: Shape,
  weights: Weights,
  activations: Activations,
  adapters?: Readonly<Record<"decode" | "prefill", AdapterPass>>,
): Promise<Lists> {
  const ready = readyOn(pipelines);
  return {
    prefill: await ready(prefill(shape, weights, activations, adapters?.prefill)),
    score: await ready(score(shape, weights, activations, adapters?.prefill)),
    steps: await prepareSteps(shape, weights, activations, ready, adapters?.decode),
  };
}

/** Prepares the launches of a list. Lists may share launches. */
type Ready = (launches: readonly Launch[]) => Promise<Dispatch[]>;

function readyOn(pipelines: Pipelines): Ready {
  const dispatches = new Map<Launch, Promise<Dispatch>>();
  const prepareOnce = (launch: Launch) => {
    const dispatch = dispatches.get(launch) ?? pipelines.prepare(launch);
    dispatches.set(launch, dispatch);
    return dispatch;
  };
  return (launches) => Promise.all(launches.map(prepareOnce));
}

async function prepareSteps(
  shape: Shape,
  weights: Weights,
  activations: Activations,
  ready: Ready,
  adapters: AdapterPass | undefined,
): Promise<StepLists[]> {
  const steps: StepLists[] = [];
  for (const tokensPerBlock of BLOCK_SIZES) {
    if (steps.length === shape.parallel) break;
    const { whole, split } = decode(shape, weights, activations, tokensPerBlock, adapters);
    const lists = {
      decode: { whole: await ready(whole), split: await ready(split) },
      logits: await ready(logits(shape, weights, activations, tokensPerBlock, adapters)),
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
  return {
    decode: { whole: list(decode.whole), split: list(decode.split) },
    logits: list(logits),
    sample: list(sample),
  };
};
