// Long work on one thread, in slices: timers, streams and other requests have their turns in between.

/** Milliseconds of work between two turns of the event loop. */
const SLICE = 8;

let line: Promise<unknown> = Promise.resolve();

/**
 * Runs all steps. Those who run at the same time go on one after another, a turn of the event loop for each, so that the loop waits for one
 * slice only, however many there are.
 * @throws what the steps throw, or the signal's reason where it is aborted between two slices
 */
export async function inSlices<T>(steps: Generator<undefined, T>, signal?: AbortSignal): Promise<T> {
  // Short work is done at once; many may begin in one turn.
  let until = performance.now() + SLICE / 4;
  for (;;) {
    const { value, done } = steps.next();
    if (done) return value;
    if (performance.now() < until) continue;
    line = line.then(turn);
    await line;
    signal?.throwIfAborted();
    until = performance.now() + SLICE;
  }
}

/** After whatever else the event loop has to do now. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    // Timers of browsers wait 4 ms and more.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
