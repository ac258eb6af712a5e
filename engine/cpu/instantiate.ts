import type { Compiled } from "../../kernels/cpu/compiled.ts";

/** The compiled functions over a memory. */
export const instantiate = (module: WebAssembly.Module, memory: WebAssembly.Memory): Compiled =>
  new WebAssembly.Instance(module, { env: { memory } }).exports as Compiled;
