// How much memory there is in Node.
import { totalmem } from "node:os";

/** Bytes of the machine's memory, or of its container's limit: beyond it, the system ends processes. */
export function machineBytes(): number {
  // 0 or a huge number: no limit.
  const limit = process.constrainedMemory?.() || Infinity;
  return Math.min(limit, totalmem());
}
