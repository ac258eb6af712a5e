// One dispatch of a kernel on a device, from host buffers and back.
import { encode, launch, Pipelines, readBuffer, usage } from "../../engine/gpu/dispatch.ts";
import type { Binding, Buffer, Kernel, Requirements } from "../../kernels/index.ts";
import { randomBuffer, randomU32 } from "../random.ts";

/** Runs the kernel on copies of `host`, one for each binding. @returns the bytes of each binding after it */
export async function runKernel<Size extends object>(
  device: GPUDevice,
  kernel: Kernel<Size>,
  size: Size,
  host: readonly Buffer[],
): Promise<ArrayBuffer[]> {
  const buffers = host.map((array) => {
    const buffer = device.createBuffer({
      size: Math.max(4, array.byteLength),
      usage: usage.storage | usage.copySrc | usage.copyDst,
    });
    device.queue.writeBuffer(buffer, 0, array as Buffer & ArrayBufferView<ArrayBuffer>);
    return buffer;
  });
  const dispatch = await Pipelines.of(device).prepare(launch(kernel, size, ...buffers));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  encode(pass, [dispatch]);
  pass.end();
  device.queue.submit([encoder.finish()]);
  const results: ArrayBuffer[] = [];
  for (const buffer of buffers) results.push(await readBuffer(device, buffer));
  for (const buffer of buffers) buffer.destroy();
  // Dawn frees destroyed buffers only at the next submit.
  device.queue.submit([]);
  return results;
}

/** The kernel's own contents of a binding for tests, or random ones. */
export function contents<Size extends object>(
  kernel: Kernel<Size>,
  size: Size,
  binding: Binding,
  seed: number,
): Buffer {
  return kernel.fill?.(size, binding.name, randomU32(seed)) ?? randomBuffer(binding, seed);
}

/**
 * Whether the device can run the kernel. Together the two software drivers run every kernel: one has
 * subgroups of 8 and f16, the other subgroups of 4.
 */
export function runsOn(
  device: GPUDevice,
  { requires = [], subgroupSize, workgroupBytes = 0, workgroupThreads = 0 }: Requirements,
): boolean {
  const { subgroupMinSize } = device.adapterInfo;
  const { maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup } = device.limits;
  return (
    requires.every((feature) => device.features.has(feature)) &&
    (subgroupSize === undefined || subgroupSize === subgroupMinSize) &&
    workgroupBytes <= maxComputeWorkgroupStorageSize &&
    workgroupThreads <= maxComputeInvocationsPerWorkgroup
  );
}
