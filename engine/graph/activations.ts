// The buffers that a pass works in: positions, residual stream, and results between two dispatches.
import {
  angleLength,
  angleTable,
  cacheLength,
  LOG_PROB_RESULTS,
  maskWords,
  padded,
  partialLength,
  qkvStride,
  quantizedLengths,
  SAMPLING_WORDS,
  TILE,
} from "../../kernels/index.ts";
import type { Buffers } from "../gpu/buffers.ts";
import { ropeAngles } from "./rope-frequencies.ts";
import type { Shape } from "./shape.ts";

/** Tokens that `score` computes logits for at once. */
export const SCORE_ROWS = TILE;

/** Buffers of a decode step: a row for each of up to T sequences. */
export interface DecodeState {
  /** u32 [T, 4]: token, position, ring, 0. The sampler updates them: the next step needs no host. */
  readonly rows: GPUBuffer;
  /** [T, D] residual stream. */
  readonly x: GPUBuffer;
  /** [T, (H + 2G)·d] */
  readonly qkv: GPUBuffer;
  /** [T, H, SPLITS, d + 2] partial results, if attention is split over the cache. */
  readonly partial: GPUBuffer;
  /** [T, H·d] */
  readonly attended: GPUBuffer;
  /** [T, F] */
  readonly hidden: GPUBuffer;
  /** The quantised input of the next matrix: bytes, and the scale and sum of each 32. */
  readonly codes: GPUBuffer;
  readonly groups: GPUBuffer;
  /** The input of the next matrix in the order of its columns, and the gain of its norm. */
  readonly gathered?: GPUBuffer;
  readonly gatheredGain?: GPUBuffer;
  /** [T, 2F], where gate_proj and up_proj have inputs of their own. */
  readonly gateUp?: GPUBuffer;
  /** [T, V] */
  readonly logits: GPUBuffer;
}

/** Buffers of a prefill pass: a row for each of up to T tokens of one sequence. */
export interface PrefillState {
  /** u32 [T, 4]: token, position, ring, tokens in this pass. */
  readonly rows: GPUBuffer;
  /** [T, D] residual stream. */
  readonly x: GPUBuffer;
  /** [T, D] */
  readonly normed: GPUBuffer;
  /** [T, (H + 2G)·d] */
  readonly qkv: GPUBuffer;
  /** [T, H·d] */
  readonly attended: GPUBuffer;
  /** [T, 2F] */
  readonly gateUp: GPUBuffer;
  /** [T, F] */
  readonly hidden: GPUBuffer;
  /** The quantised input of the next matrix: bytes, and the scale and sum of each 32. */
  readonly codes: GPUBuffer;
  readonly groups: GPUBuffer;
  /** The input of the next matrix in the order of its columns. */
  readonly gathered?: GPUBuffer;
  /** [SCORE_ROWS, V] */
  readonly logits: GPUBuffer;
  /** [SCORE_ROWS, 2]: the id to score, and how many of the likeliest tokens are wanted. */
  readonly targets: GPUBuffer;
  /** [SCORE_ROWS, LOG_PROB_RESULTS]: log-probabilities of the target and the likeliest tokens. */
  readonly logProbs: GPUBuffer;
  /** The same shape: the rank of the target, the ids of the likeliest tokens. */
  readonly tokens: GPUBuffer;
}

/**
 * What the sampler reads beside logits: counts for penalties [B, V], bias [B, V], options [B, 12], masks [B,
 * V/32].
 */
export interface SamplerState {
  readonly counts: GPUBuffer;
  readonly bias: GPUBuffer;
  readonly params: GPUBuffer;
  readonly mask: GPUBuffer;
}

export interface Activations {
  /** cos and sin of RoPE, f32 [2, ANGLE_ROWS, d/2, 2]. */
  readonly angles: GPUBuffer;
  /** As `angles`, for the angle 0: where nothing is to be rotated. Only in models that have such a place. */
  readonly noAngles: GPUBuffer | undefined;
  /** L rings, [B, 2, G, S] rows in the cache format. */
  readonly caches: readonly GPUBuffer[];
  readonly decode: DecodeState;
  readonly prefill: PrefillState;
  readonly sampler: SamplerState;
  /** u32 [4] of `copyPrefix`: the ring copied from, the one copied to, first slot, number of slots. */
  readonly copiedRange: GPUBuffer;
}

type Lengths<T> = { readonly [Name in keyof T]: number };

/** Words of every buffer but the rings. `plan` adds them up, `allocate` makes them. */
export function scratchLengths(shape: Shape): {
  readonly angles: number;
  readonly noAngles: number;
  readonly decode: Lengths<DecodeState>;
  readonly prefill: Lengths<PrefillState>;
  readonly sampler: Lengths<SamplerState>;
  readonly copiedRange: number;
} {
  const { B, parallel, D, F, H, d, V, chunkLength, gatheredWidth, gateThenUp } = shape;
  const T = Math.ceil(chunkLength / TILE) * TILE;
  const widest = Math.max(D, H * d, F);
  return {
    angles: angleLength(d),
    noAngles: shape.qkNorm || shape.noRopeLayers.length > 0 ? angleLength(d) : 0,
    decode: {
      rows: 4 * parallel,
      x: parallel * padded(D),
      qkv: parallel * qkvStride(shape),
      partial: partialLength({ T: parallel, H, d, SPLITS: shape.SPLITS }),
      attended: parallel * padded(H * d),
      hidden: parallel * padded(F),
      ...quantizedLengths({ T: parallel, K: widest }),
      ...(gatheredWidth > 0 && {
        gathered: parallel * padded(gatheredWidth),
        gatheredGain: padded(D),
      }),
      ...(gateThenUp && { gateUp: parallel * padded(2 * F) }),
      logits: parallel * padded(V),
    },
    prefill: {
      rows: 4 * T,
      x: T * padded(D),
      normed: T * padded(D),
      qkv: T * qkvStride(shape),
      attended: T * padded(H * d),
      gateUp: T * padded(2 * F),
      hidden: T * padded(F),
      ...quantizedLengths({ T, K: widest }),
      ...(gatheredWidth > 0 && { gathered: T * padded(gatheredWidth) }),
      logits: SCORE_ROWS * padded(V),
      targets: 2 * SCORE_ROWS,
      logProbs: SCORE_ROWS * LOG_PROB_RESULTS,
      tokens: SCORE_ROWS * LOG_PROB_RESULTS,
    },
    sampler: { counts: B * V, bias: B * V, params: SAMPLING_WORDS * B, mask: B * maskWords(V) },
    copiedRange: 4,
  };
}

export const ringLength = (shape: Shape): number => cacheLength(shape.cacheFormat, shape);

/** Makes the buffers. All start as zeros but RoPE's angles. */
export async function allocate(device: GPUDevice, buffers: Buffers, shape: Shape): Promise<Activations> {
  const lengths = scratchLengths(shape);
  const make = <T extends object>(group: string, sizes: Lengths<T>): { [Name in keyof T]: GPUBuffer } =>
    Object.fromEntries(
      Object.entries<number>(sizes).map(([name, length]) => [name, buffers.near(`${group} ${name}`, length)]),
    ) as { [Name in keyof T]: GPUBuffer };
  const { frequencies, magnitude } = await ropeAngles(shape);
  const table = (name: string, data: Float32Array<ArrayBuffer>): GPUBuffer => {
    const buffer = buffers.near(name, data.length);
    device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  };
  return {
    angles: table("rope angles", angleTable(frequencies, magnitude)),
    noAngles: lengths.noAngles ? table("no angles", angleTable(frequencies.map(() => 0))) : undefined,
    decode: make<DecodeState>("decode", lengths.decode),
    prefill: make<PrefillState>("prefill", lengths.prefill),
    sampler: make<SamplerState>("sampler", lengths.sampler),
    copiedRange: buffers.near("copied range", lengths.copiedRange),
    // The last ones: they may be large.
    caches: Array.from({ length: shape.L }, (_, i) =>
      buffers.storage(`cache of layer ${i}`, ringLength(shape)),
    ),
  };
}
