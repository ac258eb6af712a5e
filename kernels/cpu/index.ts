// The operations of the CPU device. Nothing here imports a shader: threads load this code.
import type { CpuCall } from "../kernel.ts";
import type { Operation } from "./operation.ts";
import { quantizeInput } from "./quantize-input.ts";

/** By `op` of a kernel's `cpu`. */
export const operations = {
  quantize_input: quantizeInput,
} as unknown as Readonly<Record<string, Operation<CpuCall, object>>>;
