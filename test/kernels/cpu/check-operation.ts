import type { Buffer, Kernel } from "../../../kernels/index.ts";
import { compareBuffers } from "../contract.ts";
import { contents } from "../run-kernel.ts";
import { runOperation, sameBytes } from "./run-operation.ts";

/**
 * Compares a kernel's operation with its reference, and the operation of one thread with that of two and
 * three, bit for bit. @param host contents of the buffers. Default: as in the contract test
 */
export function checkOperation(
  kernel: Kernel,
  size: object,
  host: readonly Buffer[] = kernel.bindings(size).map((binding, i) => contents(kernel, size, binding, i + 1)),
  far: readonly string[] = [],
): void {
  const results = runOperation(kernel, size, host, 1, far);
  const again = [2, 3].map((threads) => runOperation(kernel, size, host, threads, far));
  kernel.reference(size, ...host);
  compareBuffers(kernel, size, results, host);
  for (const each of again) sameBytes(each, results);
}
