// The operations of the CPU device. Nothing here imports a shader: threads load this code.
import type { CpuCall } from "../kernel.ts";
import type { Operation } from "./operation.ts";

/** By `op` of a kernel's `cpu`. */
export const operations = {} as Readonly<Record<string, Operation<CpuCall, object>>>;
