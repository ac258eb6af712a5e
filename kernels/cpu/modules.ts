// The WebAssembly modules of the CPU device. The caller's side compiles them, and sends them to its threads.
import inputs from "./inputs.wat?wasm";
import quantise from "./quantise.wat?wasm";
import sample from "./sample.wat?wasm";

/** Limits of an imported memory that is shared: https://webassembly.github.io/spec/core/binary/types.html */
const SHARED = 3;

/**
 * Compiles the modules, for a memory that threads share, or for one that is not shared. In either case its
 * descriptor must give a `maximum`.
 */
export const compileModules = (shared: boolean): Promise<WebAssembly.Module[]> =>
  Promise.all(
    [inputs, quantise, sample].map(({ base64, limitsAt }) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      if (shared) bytes[limitsAt] = SHARED;
      return WebAssembly.compile(bytes);
    }),
  );
