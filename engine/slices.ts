// Runs long work on one thread in slices: timers, streams and other requests run in between.

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

/** Resolves after everything else that the event loop has to do now. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    // A browser's timer would wait 4 ms or more.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
