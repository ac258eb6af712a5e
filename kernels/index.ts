import { attention } from "./attention.ts";
import { attentionCombine } from "./attention-combine.ts";
import { attentionLane } from "./attention-lane.ts";
import { attentionTile } from "./attention-tile.ts";
import { convert, inputDtypes } from "./convert.ts";
import { embed } from "./embed.ts";
import { weightFormats } from "./formats/index.ts";
import { gateUp } from "./gate-up.ts";
import type { Kernel } from "./kernel.ts";
import { logProb } from "./log-prob.ts";
import { matmul } from "./matmul.ts";
import { matvec } from "./matvec.ts";
import { qkv } from "./qkv.ts";
import { rmsNorm } from "./rms-norm.ts";
import { ropeCache } from "./rope-cache.ts";
import { sample } from "./sample.ts";
import { swiglu } from "./swiglu.ts";

export { attentionSplits, partialLength } from "./attention.ts";
export { type ConvertSize, convertRange, type InputDtype } from "./convert.ts";
export { bytesPerRow, padded, type WeightFormat, type WeightFormatName } from "./formats/format.ts";
export { weightFormats } from "./formats/index.ts";
export type { Binding, Buffer, Kernel, Workgroups } from "./kernel.ts";
export { NO_TARGET } from "./log-prob.ts";
export { TILE } from "./matmul.ts";
export type { Team } from "./matrix-input.ts";
export type { MatvecSize } from "./matvec.ts";
export { angleLength, angleTable, cacheLength, MAX_POSITION } from "./rope.ts";
export { SAMPLING_WORDS, type SamplingSettings, samplingParams } from "./sampling.ts";
export {
  attention,
  attentionCombine,
  attentionLane,
  attentionTile,
  convert,
  embed,
  gateUp,
  logProb,
  matmul,
  matvec,
  qkv,
  rmsNorm,
  ropeCache,
  sample,
  swiglu,
};

const everyFormat = Object.values(weightFormats).flatMap((format) => [
  embed(format),
  ...inputDtypes.map((dtype) => convert(dtype, format)),
  ...(["workgroup", "lane"] as const).flatMap((team) => [
    matvec(format, team),
    matvec(format, team, "norm"),
    gateUp(format, team),
    qkv(format, team),
    matmul(format, team),
  ]),
]);

/** Every kernel the engine can launch, in every variant. The tests run each one against its reference. */
export const allKernels: readonly Kernel[] = [
  rmsNorm as Kernel,
  sample as Kernel,
  logProb as Kernel,
  attention as Kernel,
  attentionCombine as Kernel,
  attentionTile as Kernel,
  attentionLane as Kernel,
  ropeCache as Kernel,
  swiglu as Kernel,
  ...(everyFormat as Kernel[]),
];
