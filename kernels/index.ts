import { rmsNorm } from "./rms-norm.ts";
import type { Kernel } from "./kernel.ts";

export { type WeightFormat, type WeightFormatName, GROUP, padded } from "./formats/format.ts";
export type { Binding, Buffer, Kernel, Workgroups } from "./kernel.ts";
export { rmsNorm };

/** Every kernel the engine can launch, in every variant. The tests run each one against its reference. */
export const allKernels: readonly Kernel[] = [rmsNorm as Kernel];
