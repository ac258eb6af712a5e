// The WebAssembly modules of the CPU device. The caller's side compiles them, and sends them to its threads.
import attention from "./attention.wat?wasm";
import relaxedCodes from "./codes.wat?wasm&relaxed";
import exp from "./exp.wat?wasm";
import inputs from "./inputs.wat?wasm";
import lora from "./lora.wat?wasm";
import multiplyAdd from "./multiply-add.wat?wasm";
import products from "./products.wat?wasm";
import quantise from "./quantise.wat?wasm";
import ring from "./ring.wat?wasm";
import sample from "./sample.wat?wasm";

/** Limits of an imported memory that is shared: https://webassembly.github.io/spec/core/binary/types.html */
const SHARED = 3;

/**
 * Compiles the modules, for a memory that threads share, or for one that is not shared. In either case its
 * descriptor must give a `maximum`.
 * @param relaxed false: without relaxed SIMD. Default: with it where the engine knows it.
 */
export async function compileModules(shared: boolean, relaxed = true): Promise<WebAssembly.Module[]> {
  const knowsRelaxed = relaxed && WebAssembly.validate(await binary(relaxedCodes, shared));
  const codes = knowsRelaxed ? relaxedCodes : (await import("./codes.wat?wasm")).default;
  return Promise.all(
    [attention, codes, exp, inputs, lora, multiplyAdd, products, quantise, ring, sample].map(async (module) =>
      WebAssembly.compile(await binary(module, shared)),
    ),
  );
}

async function binary({ deflated, limitsAt }: WatModule, shared: boolean) {
  const packed = Uint8Array.from(atob(deflated), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  if (shared) bytes[limitsAt] = SHARED;
  return bytes;
}
