// Devices and data for the tests.
import { afterAll, expect } from "vitest";
import { create, globals } from "webgpu";
import type { Binding, Buffer } from "../kernels/index.ts";

Object.assign(globalThis, globals);
// Dawn is destroyed when the object that create() returned is collected.
const keepAlive: GPU[] = [];

/** A device of the driver in VK_DRIVER_FILES, or of Dawn's null backend. */
export async function openTestDevice(options: string[] = []): Promise<GPUDevice> {
  const gpu = create(options);
  keepAlive.push(gpu);
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error("no WebGPU adapter");
  const wanted: GPUFeatureName[] = ["shader-f16", "subgroups", "timestamp-query"];
  return adapter.requestDevice({
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
  });
}

/** mulberry32: uniform u32. */
export function randomU32(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** Contents for a binding: f32 in [-1, 1), u32 over its whole range. */
export function randomBuffer({ type, length }: Binding, seed: number): Buffer {
  const next = randomU32(seed);
  return type === "u32"
    ? Uint32Array.from({ length }, next)
    : Float32Array.from({ length }, () => next() / 2 ** 31 - 1);
}

/** Fails a test file if a rejected promise was not handled. */
export function expectNoUnhandledRejections(): void {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  afterAll(async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });
}
