// Runs long work on one thread in slices: timers, streams and other requests run in between.
import { turn } from "./turn.ts";

/** Milliseconds of work between two turns of the event loop. */
const SLICE_MS = 8;

let turns: Promise<unknown> = Promise.resolve();

/**
 * Runs all steps. Calls that run at the same time alternate, one slice in each turn of the event loop: so the
 * loop waits for one slice, however many calls there are.
 * @throws the error of a step, or the signal's reason if it is aborted between two slices
 */
export async function inSlices<T>(steps: Generator<undefined, T>, signal?: AbortSignal): Promise<T> {
  // A shorter first slice: many calls may begin in one turn.
  let until = performance.now() + SLICE_MS / 4;
  for (;;) {
    const { value, done } = steps.next();
    if (done) return value;
    if (performance.now() < until) continue;
    turns = turns.then(turn);
    await turns;
    signal?.throwIfAborted();
    until = performance.now() + SLICE_MS;
  }
}
