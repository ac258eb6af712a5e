// Sparing the cores that a software driver computes on. Node only.

/** Milliseconds that a turn of the event loop lasts while a software driver is waited for. */
const REST_MS = 0.5;

const cell = new Int32Array(new SharedArrayBuffer(4));
let waiting = 0;
let turning = false;

/**
 * Dawn's Node binding asks the driver for finished work at every turn of the event loop, which keeps a whole core busy:
 * one that a driver computing on the CPU could use. Until `work` settles, every turn takes a moment of sleep.
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
  Atomics.wait(cell, 0, 0, REST_MS);
  setImmediate(turn);
}
