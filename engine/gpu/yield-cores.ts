// Yields CPU cores to a software driver while its work is awaited. Node only.

/** Milliseconds of sleep in each turn of the event loop. */
const SLEEP_MS = 0.5;

const cell = new Int32Array(new SharedArrayBuffer(4));
let waiting = 0;
let turning = false;

/**
 * Sleeps in each turn of the event loop until `work` settles. Dawn's Node binding polls the driver in every
 * turn, which would keep one core busy that the driver could compute on.
 */
export function yieldCoresDuring(work: Promise<unknown>): void {
  const settled = () => {
    waiting--;
  };
  waiting++;
  work.then(settled, settled);
  if (!turning) turn();
}

function turn(): void {
  turning = waiting > 0;
  if (!turning) return;
  Atomics.wait(cell, 0, 0, SLEEP_MS);
  setImmediate(turn);
}
