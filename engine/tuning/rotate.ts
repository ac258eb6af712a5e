// Copies of the large buffers of a kernel. Batches go round them, so that no cache holds what a launch reads.
import type { Gpu } from "../gpu/gpu.ts";

/** The most copies: a batch that goes round more reads no other bytes than a cache has lost. */
const MAX_COPIES = 32;

type Copy = Readonly<Record<string, GPUBuffer>>;

/**
 * Makes copies until they have `bytes` together, or memory is short.
 * @throws DeviceError if there is no room for one
 */
export async function rotate(gpu: Gpu, bytes: number, make: () => Copy): Promise<Copy[]> {
  const first = await gpu.scoped(make);
  const size = Object.values(first).reduce((sum, buffer) => sum + buffer.size, 0);
  const copies = [first];
  while (copies.length < Math.min(MAX_COPIES, bytes / size)) {
    const copy = await gpu.scoped(make).catch(() => gpu.check());
    if (!copy) break;
    copies.push(copy);
  }
  return copies;
}
