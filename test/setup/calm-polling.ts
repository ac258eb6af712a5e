// Dawn's Node binding asks by setImmediate whether the GPU is done, in every turn of the event loop: a core
// is busy while anything is pending, also while a pipeline compiles. Software drivers need that core, so here
// it asks once in a millisecond.
// Files of one process share their globals: the first replaces it.
const immediate = globalThis.setImmediate;

/** Dawn's callbacks are native and take nothing; `resolve` of a promise takes a value. */
const isOfDawn = (callback: (...args: never[]) => void) =>
  callback.length === 0 && Function.prototype.toString.call(callback).endsWith("{ [native code] }");

const calm = (callback: () => void, ...args: []) =>
  isOfDawn(callback) ? setTimeout(callback, 1) : immediate(callback, ...args);

if (immediate.name !== "calm") globalThis.setImmediate = calm as typeof setImmediate;
