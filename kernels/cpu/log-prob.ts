// Log-probabilities, ranks and the likeliest tokens of rows of logits, as kernels/log-prob.ts gives them.
import { padded } from "../formats/table.ts";
import type { LogProbSize } from "../log-prob.ts";
import type { Operand, Operation } from "./operation.ts";

interface LogProbCall {
  /** Width of a row of results: the target, then the likeliest tokens. */
  readonly results: number;
}

/** Items are rows. */
export const logProb: Operation<LogProbCall, LogProbSize> = ({ results }, { T, V }, operands) => {
  const [logits, targets, logProbs, tokens] = operands as [Operand, Operand, Operand, Operand];
  /** Ids of the target and of the likeliest tokens, the likeliest first. */
  const ids = new Uint32Array(results);
  return [
    {
      items: T,
      run(start, end) {
        for (let t = start; t < end; t++) {
          const [id, wanted] = [targets.u32[2 * t]!, targets.u32[2 * t + 1]!];
          const first = t * results;
          if (id >= V) {
            logProbs.f32[first] = tokens.u32[first] = 0;
            continue;
          }
          const row = logits.f32.subarray(t * padded(V), t * padded(V) + V);
          ids[0] = id;
          const found = likeliest(row, wanted, ids);
          const logSum = logSumOfExponentials(row);
          tokens.u32[first] = rankOf(row, id);
          for (let k = 0; k <= found; k++) {
            logProbs.f32[first + k] = row[ids[k]!]! - logSum;
            if (k > 0) tokens.u32[first + k] = ids[k]!;
          }
        }
      },
    },
  ];
};

/** Fills ids[1 …] with the `wanted` likeliest tokens, of equal ones the lower id first. */
function likeliest(row: Float32Array, wanted: number, ids: Uint32Array): number {
  let found = 0;
  for (let id = 0; wanted > 0 && id < row.length; id++) {
    const x = row[id]!;
    if (found === wanted && !(x > row[ids[found]!]!)) continue;
    if (found < wanted) found++;
    let k = found;
    for (; k > 1 && x > row[ids[k - 1]!]!; k--) ids[k] = ids[k - 1]!;
    ids[k] = id;
  }
  return found;
}

function logSumOfExponentials(row: Float32Array): number {
  let best = -Infinity;
  for (let i = 0; i < row.length; i++) best = Math.max(best, row[i]!);
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += Math.exp(row[i]! - best);
  return best + Math.log(sum);
}

/** 1 for the likeliest. */
function rankOf(row: Float32Array, id: number): number {
  const own = row[id]!;
  let rank = 1;
  for (let i = 0; i < row.length; i++) if (row[i]! > own || (row[i] === own && i < id)) rank++;
  return rank;
}
