// The operations of the CPU device. Nothing here imports a shader: threads load this code.
import type { CpuCall } from "../kernel.ts";
import { convert } from "./convert.ts";
import type { Operation } from "./operation.ts";
import { quantizeInput } from "./quantize-input.ts";
import { sample } from "./sample.ts";

/** By `op` of a kernel's `cpu`. */
export const operations = {
  convert,
  quantize_input: quantizeInput,
  sample,
} as unknown as Readonly<Record<string, Operation<CpuCall, object>>>;
