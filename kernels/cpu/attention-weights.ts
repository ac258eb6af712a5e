import type { CacheFormatName } from "../cache-formats/cache-format.ts";
import { firstVisible, type RingSize, visibleStride } from "../ring.ts";
import { BLOCK, headGroup } from "./head-group.ts";
import type { Operand, Operation } from "./operation.ts";

export type AttentionWeightsCall = { readonly op: "attention_weights"; readonly format: CacheFormatName };

/** An item is a key/value head of a token. */
export const attentionWeights: Operation<AttentionWeightsCall, RingSize> = (
  { format },
  size,
  operands,
  thread,
) => {
  const { T, H, G, W } = size;
  const [, , rows, out] = operands as [Operand, Operand, Operand, Operand];
  const group = headGroup(format, size, operands, thread, 1);
  const heads = H / G;
  const stride = visibleStride(size);

  const compute = (t: number, g: number): void => {
    const end = rows.u32[4 * t + 1]! + 1;
    const first = firstVisible(end - 1, W);
    const start = (t * H + g * heads) * stride;
    group.load(t, 1, g);
    for (let from = first; from < end; ) {
      const to = Math.min(end, from + BLOCK - (from % BLOCK));
      group.score(from, to);
      for (let m = 0; m < heads; m++)
        for (let j = from; j < to; j++) out.f32[start + m * stride + j - first] = group.scoreOf(m, j);
      from = to;
    }
    for (let m = 0; m < heads; m++) soften(out.f32, start + m * stride, end - first);
  };

  return [
    {
      items: T * G,
      run(first, end) {
        for (let i = first; i < end; i++) compute(Math.floor(i / G), i % G);
      },
    },
  ];
};

/** Scores become weights that sum to 1. */
function soften(scores: Float32Array, start: number, count: number): void {
  let largest = -Infinity;
  for (let i = start; i < start + count; i++) largest = Math.max(largest, scores[i]!);
  let sum = 0;
  for (let i = start; i < start + count; i++) sum += Math.exp(scores[i]! - largest);
  for (let i = start; i < start + count; i++) scores[i] = Math.exp(scores[i]! - largest) / sum;
}
