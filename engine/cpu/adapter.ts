// What the device that computes on the CPU says of itself.
import type { AdapterDescription } from "../api.ts";
import { CPU_ARCHITECTURE } from "../gpu/cpu-architecture.ts";
import { describe } from "../gpu/gpu.ts";

/** Every engine can view so many bytes as floats. */
export const MAX_BUFFER_BYTES = 2 ** 31 - 2 ** 16;

export const FEATURES: ReadonlySet<string> = new Set();

export const LIMITS = {
  maxBufferSize: MAX_BUFFER_BYTES,
  maxStorageBufferBindingSize: MAX_BUFFER_BYTES,
  // What every device has: no variant for large workgroups is chosen.
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
};

/** @param threads workers, or 0 for the caller's own thread */
export const adapterInfo = (threads: number) => ({
  ...{ vendor: "", architecture: CPU_ARCHITECTURE, device: "" },
  description: `CPU (WebAssembly, ${threads > 1 ? `${threads} threads` : "1 thread"})`,
  isFallbackAdapter: true as const,
});

/** What `model.adapter` is with so many threads. */
export const describeCpu = (threads: number): AdapterDescription =>
  describe(adapterInfo(threads), { features: FEATURES, limits: LIMITS } as unknown as GPUDevice);
