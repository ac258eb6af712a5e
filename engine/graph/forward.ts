// READ FIRST: the transformer as lists of kernel, size, buffers. The lists are built when a model is loaded
// and replayed for every token. A matrix may have several parts by rows: each is one dispatch.
//
// T tokens in this pass · S cache slots · W window · L layers · D model width · F feed-forward width ·
// H query heads · G key/value heads · d head width · V vocabulary.
import {
  type Addend,
  attentionCombine,
  attentionVariants,
  copySlots,
  embed,
  gateUp,
  logProb,
  matvec,
  qkNorm,
  qkv,
  rmsNorm,
  ropeCache,
  sample,
  swiglu,
  type WeightFormat,
} from "../../kernels/index.ts";
import type { MatrixRole } from "../api.ts";
import { type Launch, launch } from "../gpu/dispatch.ts";
import { type Activations, SCORE_ROWS } from "./activations.ts";
import { type AdapterPass, addition } from "./adapted.ts";
import { fewTokens, launches, manyTokens, product, type TokensPerBlock } from "./products.ts";
import type { Shape } from "./shape.ts";
import type { DecodeLists } from "./step-lists.ts";
import type { LayerWeights, Matrix, Weights } from "./weights.ts";

/** Block sizes of decode steps: a matrix kernel reads each weight once per block of tokens. */
export const BLOCK_SIZES = [1, 2, 4, 8] as const satisfies readonly TokensPerBlock[];

/**
 * One token of each of up to `parallel` sequences: from the ids in `decode.rows` to the residual stream after
 * the last layer. Two lists that differ in attention and share all other launches.
 * @param adapters for steps in which a row has one
 */
export function decode(
  shape: Shape,
  weights: Weights,
  activations: Activations,
  tokensPerBlock: TokensPerBlock,
  adapters?: AdapterPass,
): DecodeLists<Launch> {
  const { decode: s, caches } = activations;
  const { cacheFormat, kernels, B, D, F, H, G, d, S, W, eps, queryScale } = shape;
  const { matvec: variant } = kernels;
  const T = rowsOf(shape, tokensPerBlock);
  const multiply = (role: MatrixRole, input?: "norm", addend?: Addend) => {
    const kernel = (format: WeightFormat) => matvec(format, fewTokens(variant[role], format), input, addend);
    return product(kernel, T, s, tokensPerBlock);
  };
  const added = addition(adapters, T);

  const attentionVariant = attentionVariants[kernels.attention.decode];
  const SPLITS = attentionVariant.splits ? shape.SPLITS : 1;
  const attend = (cache: GPUBuffer): DecodeLists<Launch> => {
    const kernel = attentionVariant.decode(cacheFormat, d);
    const size = { T, B, H, G, d, S, W, SPLITS, store: true };
    return {
      whole: [launch(kernel, { ...size, SPLITS: 1 }, s.qkv, cache, s.rows, s.attended)],
      split: [
        launch(kernel, size, s.qkv, cache, s.rows, s.partial),
        launch(attentionCombine, size, s.partial, s.rows, s.attended),
      ],
    };
  };

  const project = (w: LayerWeights, i: number): Launch[] => {
    const angles = anglesOf(shape, activations, i);
    const input = [s.x, w.inputNorm] as const;
    const { before, addend, buffers } = added("qkv", i, input, w.qkvBias);
    if (w.qkNorm) {
      // Not in one kernel: a head is normalised when all of it is there.
      const size = { K: D, eps, width: (H + 2 * G) * d };
      return [
        ...before,
        ...multiply("qkv", "norm", addend)(w.qkv, size, input, s.qkv, ...buffers),
        launch(qkNorm, { T, H, G, d, eps, queryScale }, s.qkv, w.qkNorm, s.rows, angles),
      ];
    }
    const multiplied = launches(
      w.qkv,
      (format) => qkv(format, fewTokens(variant.qkv, format), addend),
      ({ first, count }) => ({
        ...{ T, tokensPerBlock, K: D, eps, H, G, d, queryScale },
        ...{ heads: count, head0: first },
      }),
      s,
      input,
      ...[s.rows, angles, s.qkv, ...buffers],
    );
    return [...before, ...multiplied];
  };

  const activate = (w: LayerWeights, i: number): Launch[] => {
    const input = [s.x, w.postAttentionNorm] as const;
    const { before, addend, buffers } = added("gateUp", i, input);
    if (s.gateUp && isStacked(w.gateUp)) {
      const size = { K: D, eps, width: 2 * F };
      const multiplied = multiply("gateUp", "norm", addend)(w.gateUp, size, input, s.gateUp, ...buffers);
      return [...before, ...multiplied, launch(swiglu, { T, F }, s.gateUp, s.hidden)];
    }
    const multiplied = launches(
      w.gateUp,
      (format) => gateUp(format, fewTokens(variant.gateUp, format), addend),
      ({ first, count }) => ({ T, tokensPerBlock, K: D, eps, F: count, F0: first, width: F }),
      s,
      input,
      ...[s.hidden, ...buffers],
    );
    return [...before, ...multiplied];
  };

  /** A product that is added to the residual stream. */
  const addProduct = (role: "oProj" | "downProj", matrix: Matrix, i: number, K: number, x: GPUBuffer) => {
    const { before, addend, buffers } = added(role, i, [x]);
    const size = { K, width: D, add: true };
    return [...before, ...multiply(role, undefined, addend)(matrix, size, [x], s.x, ...buffers)];
  };

  const layers = weights.layers.map((w, i) => ({
    before: project(w, i),
    attention: attend(caches[i]!),
    after: [
      ...addProduct("oProj", w.oProj, i, H * d, s.attended),
      ...activate(w, i),
      ...addProduct("downProj", w.downProj, i, F, s.hidden),
    ],
  }));

  const embedded = embedding(shape, weights, T, s, adapters);
  const list = (kind: keyof DecodeLists<Launch>) => [
    ...embedded,
    ...layers.flatMap(({ before, attention, after }) => [...before, ...attention[kind], ...after]),
  ];
  const whole = list("whole");
  return { whole, split: SPLITS > 1 ? list("split") : whole };
}

/** Final norm and lm_head: the logits of the same rows. */
export function logits(
  shape: Shape,
  weights: Weights,
  { decode: s }: Activations,
  tokensPerBlock: TokensPerBlock,
  adapters?: AdapterPass,
): Launch[] {
  const { kernels, D, V, eps } = shape;
  const T = rowsOf(shape, tokensPerBlock);
  const kernel = (format: WeightFormat) => matvec(format, fewTokens(kernels.matvec.lmHead, format), "norm");
  const multiply = product(kernel, T, s, tokensPerBlock);
  const input = [s.x, weights.finalNorm] as const;
  return [
    ...multiply(weights.lmHead, { K: D, eps, width: V }, input, s.logits),
    ...(adapters?.change("lmHead", undefined, T, input, s.logits) ?? []),
  ];
}

/**
 * A list for single rows has T = 1. Larger lists are sized for `parallel` rows and shortened for each step.
 */
export const rowsOf = ({ parallel }: Pick<Shape, "parallel">, tokensPerBlock: TokensPerBlock): number =>
  tokensPerBlock === 1 ? 1 : parallel;

/** Samples the next id of every row into `decode.rows`, where `decode` reads it. */
export const sampleTokens = (
  shape: Shape,
  { decode: s, sampler }: Activations,
  tokensPerBlock: TokensPerBlock,
): Launch[] => [
  launch(
    sample,
    { T: rowsOf(shape, tokensPerBlock), B: shape.B, V: shape.V },
    s.logits,
    sampler.counts,
    sampler.bias,
    sampler.params,
    s.rows,
    sampler.mask,
  ),
];

/** A chunk of one sequence: from the ids in `prefill.rows` to the residual stream after the last layer. */
export function prefill(
  shape: Shape,
  weights: Weights,
  activations: Activations,
  adapters?: AdapterPass,
): Launch[] {
  const { prefill: s, caches } = activations;
  const { cacheFormat, kernels, B, D, F, H, G, d, S, W, eps, queryScale, chunkLength: T } = shape;
  const multiply = (role: MatrixRole, addend?: Addend) =>
    product(manyTokens(kernels.matmul[role], addend), T, s);
  const added = addition(adapters, T);
  const attend = (cache: GPUBuffer): Launch => {
    const kernel = attentionVariants[kernels.attention.prefill].prefill(cacheFormat);
    return launch(kernel, { T, B, H, G, d, S, W, store: false }, s.qkv, cache, s.rows, s.attended);
  };

  const project = (w: LayerWeights, i: number): Launch[] => {
    const { before, addend, buffers } = added("qkv", i, [s.normed], w.qkvBias);
    const size = { K: D, width: (H + 2 * G) * d };
    return [...before, ...multiply("qkv", addend)(w.qkv, size, [s.normed], s.qkv, ...buffers)];
  };
  /** A product that is added to the residual stream. */
  const addProduct = (role: "oProj" | "downProj", matrix: Matrix, i: number, K: number, x: GPUBuffer) => {
    const { before, addend, buffers } = added(role, i, [x]);
    return [...before, ...multiply(role, addend)(matrix, { K, width: D, add: true }, [x], s.x, ...buffers)];
  };
  const rotate = (w: LayerWeights, i: number): Launch[] => {
    const store = (angles: GPUBuffer, scale = queryScale): Launch => {
      const size = { T, B, H, G, d, S, queryScale: scale };
      return launch(ropeCache(cacheFormat), size, s.qkv, caches[i]!, s.rows, angles);
    };
    const angles = anglesOf(shape, activations, i);
    if (!w.qkNorm) return [store(angles)];
    const normed = launch(qkNorm, { T, H, G, d, eps, queryScale }, s.qkv, w.qkNorm, s.rows, angles);
    return [normed, store(activations.noAngles!, null)];
  };

  const layer = (w: LayerWeights, i: number): Launch[] => [
    launch(rmsNorm, { T, D, eps }, s.x, w.inputNorm, s.normed),
    ...project(w, i),
    ...rotate(w, i),
    attend(caches[i]!),
    ...addProduct("oProj", w.oProj, i, H * d, s.attended),
    launch(rmsNorm, { T, D, eps }, s.x, w.postAttentionNorm, s.normed),
    ...multiply("gateUp")(w.gateUp, { K: D, width: 2 * F }, [s.normed], s.gateUp),
    ...(adapters?.change("gateUp", i, T, [s.normed], s.gateUp) ?? []),
    ...(isStacked(w.gateUp) ? [{ first: 0, count: F }] : w.gateUp).map(({ first, count }) =>
      launch(swiglu, { T, F: count, F0: first, width: F }, s.gateUp, s.hidden),
    ),
    ...addProduct("downProj", w.downProj, i, F, s.hidden),
  ];

  return [...embedding(shape, weights, T, s, adapters), ...weights.layers.flatMap(layer)];
}

/** The angles of a layer's queries and keys. */
const anglesOf = (
  { noRopeLayers }: Shape,
  { angles, noAngles }: Pick<Activations, "angles" | "noAngles">,
  layer: number,
): GPUBuffer => (noRopeLayers.includes(layer) ? noAngles! : angles);

/** Copies keys and values from one ring to another: `copiedRange` says which rings and slots. */
export const copyPrefix = (
  { cacheFormat, B, G, S, d }: Shape,
  { caches, copiedRange }: Activations,
): Launch[] => caches.map((cache) => launch(copySlots(cacheFormat), { B, G, S, d }, cache, copiedRange));

/**
 * After a prefill of at most SCORE_ROWS tokens: log-probability and rank of the token after each, given in
 * `prefill.targets`, and the likeliest tokens there.
 */
export function score(
  shape: Shape,
  weights: Weights,
  { prefill: s }: Activations,
  adapters?: AdapterPass,
): Launch[] {
  const { kernels, D, V, eps } = shape;
  const T = SCORE_ROWS;
  const multiply = product(manyTokens(kernels.matmul.lmHead), T, s);
  return [
    launch(rmsNorm, { T, D, eps }, s.x, weights.finalNorm, s.normed),
    ...multiply(weights.lmHead, { K: D, width: V }, [s.normed], s.logits),
    ...(adapters?.change("lmHead", undefined, T, [s.normed], s.logits) ?? []),
    launch(logProb, { T, V }, s.logits, s.targets, s.logProbs, s.tokens),
  ];
}

/** The residual stream starts as the tokens' rows of the embedding. */
const embedding = (
  { D }: Shape,
  { embedTokens }: Weights,
  T: number,
  s: { readonly rows: GPUBuffer; readonly x: GPUBuffer },
  adapters?: AdapterPass,
): Launch[] => [
  ...embedTokens.map(({ first, count, format, buffers }) =>
    launch(embed(format), { T, K: D, N: count, N0: first }, s.rows, s.x, ...buffers),
  ),
  ...(adapters?.embed(T, s.x) ?? []),
];

/** Whether parts have rows of gate_proj or of up_proj: their columns differ in order, so their inputs do. */
const isStacked = ([part]: Matrix): boolean => part?.rows === part?.count;
