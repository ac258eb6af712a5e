// Devices for the tests, and promises that no one handled.
import { afterAll, expect } from "vitest";
import { create, globals } from "webgpu";
import { allowRelaxedSimd } from "../engine/cpu/node-simd.ts";
import { openOwnThread } from "../engine/cpu/open.ts";

Object.assign(globalThis, globals);
// Dawn is destroyed when the object that create() returned is collected.
const keepAlive: GPU[] = [];
const devices: GPUDevice[] = [];

/** A device of the driver in VK_DRIVER_FILES, or of Dawn's null backend, with what it has of the features. */
export async function openTestDevice(
  options: string[] = [],
  wanted: readonly GPUFeatureName[] = ["shader-f16", "subgroups", "timestamp-query"],
): Promise<GPUDevice> {
  if (process.env["SIROCCO_ADAPTER"] === "cpu" && options.length === 0) return exactCpuDevice();
  const gpu = create(options);
  keepAlive.push(gpu);
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error("no WebGPU adapter");
  const device = await adapter.requestDevice({
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
  });
  devices.push(device);
  return device;
}

/** Destroys the devices of a file that has ended. */
export async function closeTestDevices(): Promise<void> {
  const ended = devices.splice(0);
  for (const device of ended) device.destroy();
  await Promise.all(ended.map(({ lost }) => lost));
  keepAlive.length = 0;
}

/**
 * The CPU device under another name: its models get the kernels of software drivers, which do not round
 * inputs of q4 and q8 to bytes. So tolerances can be as narrow as on the drivers.
 */
export async function exactCpuDevice(): Promise<GPUDevice> {
  allowRelaxedSimd();
  const device = await openOwnThread();
  return Object.assign(device, { adapterInfo: { ...device.adapterInfo, architecture: "" } });
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
