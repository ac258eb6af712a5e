// Relaxed SIMD in Node: matrix products of q4 take two thirds of the time with it.
import { setFlagsFromString } from "node:v8";

/**
 * Node 20's V8 compiles relaxed SIMD only under a flag, later ones do so anyway. The flag concerns modules
 * that are compiled from now on, and nothing else.
 */
export function allowRelaxedSimd(): void {
  if (process.versions.v8.startsWith("11.3.")) setFlagsFromString("--experimental-wasm-relaxed-simd");
}
