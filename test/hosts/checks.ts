// What every host of WebGPU must pass: kernels against their references, pipelines, golden numbers.
import { kernelLabel } from "../../engine/gpu/dispatch.ts";
import type { Model } from "../../engine/index.ts";
import { allKernels, coveringKernels, type Kernel } from "../../kernels/index.ts";
import { embeddedModels, families, type GoldenModel, withGpuKernels } from "../engine/golden.ts";
import { checkCompiles } from "../kernels/compiles.ts";
import { checkKernel, kernelCases } from "../kernels/contract.ts";

export interface HostCheck {
  readonly name: string;
  /** It must run on the device, else there is nothing to check. */
  readonly kernel?: Kernel;
  /** Its number among the sizes of a kernel that has several, or its model's. Two hosts may share them. */
  readonly turn?: number;
  /** @param load gives a model, which it loads if it is not the last one. @throws Error if the check fails */
  run(device: GPUDevice, load: (model: GoldenModel) => Promise<Model>): Promise<void>;
}

const covered = new Set(coveringKernels.map(kernelLabel));

export const checks = {
  contract: kernelCases.map(({ name, kernel, size }) => ({
    name,
    kernel,
    ...(kernel.testSizes.length > 1 && { turn: kernel.testSizes.indexOf(size) }),
    run: (device: GPUDevice) => checkKernel(device, kernel, size),
  })),
  // Those that are not run above.
  compiles: allKernels
    .filter((kernel) => !covered.has(kernelLabel(kernel)))
    .map((kernel) => ({
      name: kernelLabel(kernel),
      kernel,
      run: (device: GPUDevice) => checkCompiles(device, kernel),
    })),
  golden: [...embeddedModels({ short: true }), ...families, withGpuKernels].flatMap((model, turn) =>
    model.checks.map(({ name, run }) => ({
      name: `${model.name}: ${name}`,
      turn,
      run: async (_: GPUDevice, load: (model: GoldenModel) => Promise<Model>) => run(await load(model)),
    })),
  ),
} satisfies Record<string, readonly HostCheck[]>;

export type Suite = keyof typeof checks;
