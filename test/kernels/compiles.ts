// Whether a device takes a kernel.
import { kernelLabel, shaderCode } from "../../engine/gpu/dispatch.ts";
import type { Kernel } from "../../kernels/index.ts";

/** Makes the kernel's pipelines at all its test sizes. @throws Error if the device refuses one */
export async function checkCompiles(device: GPUDevice, kernel: Kernel): Promise<void> {
  for (const size of kernel.testSizes) {
    const label = `${kernelLabel(kernel)} ${JSON.stringify(size)}`;
    const module = device.createShaderModule({ label, code: await shaderCode(kernel, size) });
    const compute = { module, constants: kernel.constants(size) };
    await device.createComputePipelineAsync({ label, layout: "auto", compute });
  }
}
