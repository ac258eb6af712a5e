import { embed } from "./embed.ts";
import { weightFormats } from "./formats/index.ts";
import { gateUp } from "./gate-up.ts";
import type { Kernel } from "./kernel.ts";
import { matmul } from "./matmul.ts";
import { matvec } from "./matvec.ts";
import { qkv } from "./qkv.ts";
import { rmsNorm } from "./rms-norm.ts";
import { ropeCache } from "./rope-cache.ts";
import { swiglu } from "./swiglu.ts";

export { bytesPerRow, GROUP, padded, type WeightFormat, type WeightFormatName } from "./formats/format.ts";
export { weightFormats } from "./formats/index.ts";
export type { Binding, Buffer, Kernel, Workgroups } from "./kernel.ts";
export { TILE } from "./matmul.ts";
export { angleTable, cacheLength, MAX_POSITION } from "./rope.ts";
export { embed, gateUp, matmul, matvec, qkv, rmsNorm, ropeCache, swiglu };

const everyFormat = Object.values(weightFormats).flatMap((format) => [
  embed(format),
  matvec(format),
  matvec(format, "norm"),
  gateUp(format),
  qkv(format),
  matmul(format),
]);

/** Every kernel the engine can launch, in every variant. The tests run each one against its reference. */
export const allKernels: readonly Kernel[] = [
  rmsNorm as Kernel,
  ropeCache as Kernel,
  swiglu as Kernel,
  ...(everyFormat as Kernel[]),
];
