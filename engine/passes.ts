// What `score` and `logits` run on the GPU, in a ring.
import { outOfRange } from "./options/parameter.ts";
import type { TaskBody } from "./scheduler/exclusive-task.ts";

/** @throws RangeError with `parameter` */
export function checkScored(ids: readonly number[], from: number): void {
  if (ids.length < 2)
    throw outOfRange("text", "expected at least two tokens, got one, which has no token before it.");
  if (from >= ids.length)
    throw outOfRange("from", `expected at most ${ids.length - 1}, the last token, got ${from}.`);
}

/** Log-probabilities of ids[from …]. What the ring holds of the tokens before them is kept. */
export const scoreOf = (
  ids: readonly number[],
  from: number,
  signal: AbortSignal | undefined,
): TaskBody<Float32Array> =>
  async function* ({ decoder }, ring) {
    // The pass that scores a token runs the one before it.
    const first = from - 1;
    const start = Math.min(ring.reusable(ids), first);
    ring.begin(ids, start);
    // Recorded first: the call may fail in the middle.
    ring.wrote(ids.length - 1);
    if (start < first) {
      yield* decoder.prefillInChunks(ring.index, ids.slice(start, first), start, signal);
      yield;
    }
    const logProbs = yield* decoder.score(ring.index, ids, signal, first);
    ring.commit(ids, ids.length - 1, "prefill");
    return logProbs;
  };

/** exp of the mean negative log-probability. */
export const perplexityOf = (logProbs: Float32Array): number =>
  Math.exp(-logProbs.reduce((sum, value) => sum + value, 0) / logProbs.length);

/** Logits [V] after the last of `ids`. */
export const logitsOf = (ids: readonly number[], signal: AbortSignal | undefined): TaskBody<Float32Array> =>
  async function* ({ decoder }, ring) {
    const start = ring.reusable(ids);
    // If the ring holds them all, only the last token is recomputed, in place; the tokens after it stay.
    const held = ring.holds(ids);
    if (!held) {
      ring.begin(ids, start);
      // Recorded first: the call may fail in the middle.
      ring.wrote(ids.length);
    }
    yield* decoder.prefillInChunks(ring.index, ids.slice(start), start, signal);
    const logits = await decoder.logits(ring.index, ids.length - 1);
    if (!held) ring.commit(ids, ids.length, "prefill");
    return logits;
  };
