// The dispatches of a step, made ready for every number of rows.

import { type Dispatch, type Launch, withRows } from "../gpu/dispatch.ts";
import type { Activations } from "./activations.ts";
import { decode, logits, ROWS_TOGETHER, sampleTokens } from "./forward.ts";
import type { Shape } from "./shape.ts";
import type { Weights } from "./weights.ts";

export type StepPasses = Readonly<Record<"decode" | "logits" | "sample", readonly Dispatch[]>>;

/** For 1, 2, 3, … rows. */
export async function prepareSteps(
  shape: Shape,
  weights: Weights,
  activations: Activations,
  ready: (launches: Launch[]) => Promise<Dispatch[]>,
): Promise<StepPasses[]> {
  const steps: StepPasses[] = [];
  for (const rows of ROWS_TOGETHER) {
    if (steps.length === shape.parallel) break;
    const together = {
      decode: await ready(decode(shape, weights, activations, rows)),
      logits: await ready(logits(shape, weights, activations, rows)),
      sample: await ready(sampleTokens(shape, activations, rows)),
    };
    // The most that matrices take together serve all numbers above, in several blocks.
    const most = rows === ROWS_TOGETHER.at(-1) ? shape.parallel : Math.min(rows, shape.parallel);
    while (steps.length < most) steps.push(forRows(together, steps.length + 1));
  }
  return steps;
}

const forRows = ({ decode, logits, sample }: StepPasses, T: number): StepPasses => {
  const list = (dispatches: readonly Dispatch[]) => dispatches.map((dispatch) => withRows(dispatch, T));
  return { decode: list(decode), logits: list(logits), sample: list(sample) };
};
