import type { Kernel } from "./kernel.ts";
import { rmsNorm } from "./rms-norm.ts";

export { bytesPerRow, GROUP, padded, type WeightFormat, type WeightFormatName } from "./formats/format.ts";
export { weightFormats } from "./formats/index.ts";
export type { Binding, Buffer, Kernel, Workgroups } from "./kernel.ts";
export { rmsNorm };

/** Every kernel the engine can launch, in every variant. The tests run each one against its reference. */
export const allKernels: readonly Kernel[] = [rmsNorm as Kernel];
