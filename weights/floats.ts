// Stored floats as f32.
import { bf16ToNumber, f16ToNumber } from "../kernels/formats/half.ts";

/** How floats are stored, little-endian. */
export type FloatEncoding = "F32" | "F16" | "BF16";

/** The exact values of `bytes`. */
export function toFloats(bytes: Uint8Array<ArrayBuffer>, encoding: FloatEncoding): Float32Array<ArrayBuffer> {
  // A copy begins at a multiple of the size of a number.
  const { buffer } = bytes.slice();
  if (encoding === "F32") return new Float32Array(buffer);
  return Float32Array.from(new Uint16Array(buffer), encoding === "F16" ? f16ToNumber : bf16ToNumber);
}
