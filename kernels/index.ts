import type { Addend } from "./addend.ts";
import { attention } from "./attention.ts";
import { attentionCombine } from "./attention-combine.ts";
import { attentionLane } from "./attention-lane.ts";
import { attentionTeams } from "./attention-teams.ts";
import { attentionTile } from "./attention-tile.ts";
import { attentionWeights } from "./attention-weights.ts";
import { cacheFormats } from "./cache-formats/index.ts";
import { convert, inputDtypes } from "./convert.ts";
import { copy } from "./copy.ts";
import { copySlots } from "./copy-slots.ts";
import { doraGain } from "./dora-gain.ts";
import { embed } from "./embed.ts";
import { suits, type WeightFormat } from "./formats/format.ts";
import { weightFormats } from "./formats/index.ts";
import { gateUp } from "./gate-up.ts";
import { gather } from "./gather.ts";
import type { Kernel } from "./kernel.ts";
import { logProb } from "./log-prob.ts";
import { loraA } from "./lora-a.ts";
import { loraB } from "./lora-b.ts";
import { loraLookup } from "./lora-lookup.ts";
import { type MatmulVariant, matmul, matmulVariants } from "./matmul.ts";
import { matvec } from "./matvec.ts";
import { type MatvecVariant, matvecVariants } from "./matvec-variants.ts";
import { multiplyAdd } from "./multiply-add.ts";
import { qkNorm } from "./qk-norm.ts";
import { qkv } from "./qkv.ts";
import { quantizeInput } from "./quantize-input.ts";
import { rmsNorm } from "./rms-norm.ts";
import { ropeCache } from "./rope-cache.ts";
import { sample } from "./sample.ts";
import { swiglu } from "./swiglu.ts";

export type { Addend } from "./addend.ts";
export { attentionSplits, partialLength, seesOnePart } from "./attention-parts.ts";
export { type AttentionVariant, attentionVariants } from "./attention-variants.ts";
export { attentionWeightsLength } from "./attention-weights.ts";
export { type CacheFormat, type CacheFormatName, cacheLength } from "./cache-formats/cache-format.ts";
export { cacheFormats } from "./cache-formats/index.ts";
export { type ConvertSize, convertRange, type InputDtype } from "./convert.ts";
export { weightContents } from "./formats/contents.ts";
export {
  bytesPerRow,
  padded,
  type Rounding,
  suits,
  type WeightFormat,
  type WeightFormatName,
} from "./formats/format.ts";
export { weightFormats } from "./formats/index.ts";
export { quantisedFormats } from "./formats/table.ts";
export type {
  Binding,
  Buffer,
  CodeOrder,
  Cost,
  Kernel,
  Requirements,
  ShaderFile,
  Workgroups,
} from "./kernel.ts";
export { LOG_PROB_RESULTS, MAX_LIKELIEST, NO_TARGET } from "./log-prob.ts";
export { MAX_TOGETHER, USE_WORDS } from "./lora.ts";
export { type MatmulVariant, matmulVariants, TILE } from "./matmul.ts";
export { referenceDot, referenceInput } from "./matrix-input.ts";
export type { MatvecSize } from "./matvec.ts";
export { type MatvecVariant, matvecVariants } from "./matvec-variants.ts";
export { quantized, quantizedLengths } from "./quantize-input.ts";
export {
  attend,
  decodeRows,
  firstVisible,
  prefillRows,
  qkvStride,
  type RingSize,
  ringContents,
  storeNewest,
} from "./ring.ts";
export { angleLength, angleTable, MAX_POSITION } from "./rope.ts";
export {
  maskWords,
  SAMPLING_WORDS,
  type SamplingSettings,
  samplingParams,
  USES_COUNTS,
} from "./sampling.ts";
export {
  attentionCombine,
  attentionWeights,
  convert,
  copy,
  copySlots,
  doraGain,
  embed,
  gateUp,
  gather,
  logProb,
  loraA,
  loraB,
  loraLookup,
  matmul,
  matvec,
  multiplyAdd,
  qkNorm,
  qkv,
  quantizeInput,
  rmsNorm,
  ropeCache,
  sample,
  swiglu,
};

const { f32, f16, bf16, q8, q4, q4a, q4a64, q4a128, q4k } = weightFormats;
const vectorVariants = Object.keys(matvecVariants) as MatvecVariant[];
const matrixVariants = Object.keys(matmulVariants) as MatmulVariant[];

const stored = (format: WeightFormat) => [
  embed(format),
  doraGain(format),
  ...inputDtypes.map((dtype) => convert(dtype, format)),
];
const matvecs = (format: WeightFormat, variant: MatvecVariant) => [
  matvec(format, variant),
  // A quantised input is normed already.
  ...(matvecVariants[variant].rounds ? [] : [matvec(format, variant, "norm")]),
];
const vectors = (format: WeightFormat, variant: MatvecVariant, addend?: Addend) => [
  ...(addend ? [matvec(format, variant, "plain", addend)] : matvecs(format, variant)),
  gateUp(format, variant, addend),
  qkv(format, variant, addend),
];
const multiplied = (format: WeightFormat, addend?: Addend) =>
  matrixVariants
    .filter((variant) => suits(matmulVariants[variant], format))
    .map((variant) => matmul(format, variant, addend));
const addends = ["bias", "delta"] as const;

const others = [
  rmsNorm,
  qkNorm,
  sample,
  logProb,
  attentionCombine,
  swiglu,
  copy,
  multiplyAdd,
  gather("plain"),
  gather("norm"),
  loraA("plain"),
  loraA("norm"),
  loraLookup,
  loraB("addend"),
  loraB("addend", "bias"),
  loraB("in_place"),
  quantizeInput("natural"),
  quantizeInput("even_odd"),
  quantizeInput("natural", "norm"),
  quantizeInput("even_odd", "norm"),
  ...Object.values(cacheFormats).flatMap((format) => [
    attention(format),
    attentionTeams(format, 2),
    attentionTile(format),
    attentionLane(format),
    attentionWeights(format),
    ropeCache(format),
    copySlots(format),
  ]),
  attentionTeams(cacheFormats.f16, 128),
  attentionTeams(cacheFormats.q8, 128),
] as Kernel[];

/**
 * Every kernel that the engine can launch, in every variant; some of q4a64, q4a128 and q4k, which differ
 * from q4a in how a pair is read. The tests compile each one.
 */
export const allKernels: readonly Kernel[] = [
  ...others,
  ...([q4a64, q4a128, q4k].flatMap((format) => [
    ...stored(format),
    ...vectorVariants
      .filter((variant) => suits(matvecVariants[variant], format))
      .map((variant) => matvec(format, variant)),
    ...multiplied(format),
  ]) as Kernel[]),
  ...([f32, f16, bf16, q8, q4, q4a].flatMap((format) => [
    ...stored(format),
    ...[undefined, ...addends].flatMap((addend) => [
      ...vectorVariants
        .filter((variant) => suits(matvecVariants[variant], format))
        .flatMap((variant) => vectors(format, variant, addend)),
      ...multiplied(format, addend),
    ]),
  ]) as Kernel[]),
];

/**
 * A selection that covers each variant, each format by 8 and by 32 columns and as bytes, and both addends of
 * each matrix kernel, but not every combination. The tests run each one against its reference.
 */
export const coveringKernels: readonly Kernel[] = [
  ...others,
  ...([f32, f16, bf16, q8, q4].flatMap(stored) as Kernel[]),
  ...([embed(q4a64), convert("F32", q4a), convert("BF16", q4a128), ...stored(q4k)] as Kernel[]),
  ...([f32, f16, bf16, q8, q4a].flatMap((format) => [
    matvec(format, "workgroup"),
    matvec(format, "lane_wide"),
    matvec(format, "stream"),
  ]) as Kernel[]),
  ...(vectorVariants.flatMap((variant) => matvecs(q4, variant)) as Kernel[]),
  ...((["workgroup", "stream", "stream_int8", "lane"] as const).flatMap((variant) => [
    gateUp(q4, variant),
    qkv(q4, variant),
  ]) as Kernel[]),
  ...(multiplied(q4) as Kernel[]),
  matvec(q8, "stream_int8") as Kernel,
  matmul(q8, "tile_int8") as Kernel,
  matmul(f16, "tile_f16") as Kernel,
  matmul(f32, "tile") as Kernel,
  ...([matvec(q4a64, "lane_wide"), matvec(q4a128, "stream"), matmul(q4a128, "lane")] as Kernel[]),
  ...([
    matvec(q4k, "workgroup"),
    matvec(q4k, "lane_wide"),
    matvec(q4k, "stream"),
    matmul(q4k, "tile"),
  ] as Kernel[]),
  ...(vectorVariants.flatMap((variant, i) => vectors(q4, variant, addends[i % 2])) as Kernel[]),
  ...([f32, f16, bf16, q8].flatMap((format, i) => vectors(format, "lane_wide", addends[i % 2])) as Kernel[]),
  ...(matrixVariants.map((variant, i) => matmul(q4, variant, addends[i % 2])) as Kernel[]),
];
