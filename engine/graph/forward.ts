// READ FIRST: the transformer as lists of kernel, size, buffers. The lists are built when a model is loaded
// and replayed for every token. A matrix may have several parts by rows: each is one dispatch.
//
// T tokens in this pass · S cache slots · W window · L layers · D model width · F feed-forward width ·
// H query heads · G key/value heads · d head width · V vocabulary.
import {
  type Addend,
  attentionCombine,
  attentionVariants,
  type CodeOrder,
  copySlots,
  embed,
  gateUp,
  gather,
  type Kernel,
  logProb,
  type MatmulVariant,
  type MatvecSize,
  type MatvecVariant,
  matmul,
  matmulVariants,
  matvec,
  matvecVariants,
  qkNorm,
  qkv,
  quantizeInput,
  rmsNorm,
  ropeCache,
  sample,
  suits,
  swiglu,
  type WeightFormat,
} from "../../kernels/index.ts";
import type { MatrixRole } from "../api.ts";
import { type Launch, launch } from "../gpu/dispatch.ts";
import { type Activations, type DecodeState, SCORE_ROWS } from "./activations.ts";
import type { Shape } from "./shape.ts";
import type { DecodeLists } from "./step-lists.ts";
import type { LayerWeights, Matrix, MatrixPart, Weights } from "./weights.ts";

/** Block sizes of decode steps: a matrix kernel reads each weight once per block of tokens. */
export const BLOCK_SIZES = [1, 2, 4, 8] as const;
type TokensPerBlock = (typeof BLOCK_SIZES)[number];

/**
 * One token of each of up to `parallel` sequences: from the ids in `decode.rows` to the residual stream after
 * the last layer. Two lists that differ in attention and share all other launches.
 */
export function decode(
  shape: Shape,
  weights: Weights,
  activations: Activations,
  tokensPerBlock: TokensPerBlock,
): DecodeLists<Launch> {
  const { decode: s, caches } = activations;
  const { cacheFormat, kernels, B, D, F, H, G, d, S, W, eps, queryScale } = shape;
  const { matvec: variant } = kernels;
  const T = rowsOf(shape, tokensPerBlock);
  const multiply = (role: MatrixRole, input?: "norm") =>
    product((format) => matvec(format, fewTokens(variant[role], format), input), T, s, tokensPerBlock);

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

  const project = (w: LayerWeights, angles: GPUBuffer): Launch[] => {
    if (w.qkNorm) {
      // Not in one kernel: a head is normalised when all of it is there.
      const size = { K: D, eps, width: (H + 2 * G) * d };
      return [
        ...multiply("qkv", "norm")(w.qkv, size, [s.x, w.inputNorm], s.qkv),
        launch(qkNorm, { T, H, G, d, eps, queryScale }, s.qkv, w.qkNorm, s.rows, angles),
      ];
    }
    const bias = optional(w.qkvBias);
    return launches(
      w.qkv,
      (format) => qkv(format, fewTokens(variant.qkv, format), addendOf(bias)),
      ({ first, count }) => ({
        ...{ T, tokensPerBlock, K: D, eps, H, G, d, queryScale },
        ...{ heads: count, head0: first },
      }),
      s,
      [s.x, w.inputNorm],
      ...[s.rows, angles, s.qkv, ...bias],
    );
  };

  const activate = (w: LayerWeights): Launch[] => {
    const input = [s.x, w.postAttentionNorm] as const;
    if (s.gateUp && isStacked(w.gateUp)) {
      const gatesUps = multiply("gateUp", "norm")(w.gateUp, { K: D, eps, width: 2 * F }, input, s.gateUp);
      return [...gatesUps, launch(swiglu, { T, F }, s.gateUp, s.hidden)];
    }
    return launches(
      w.gateUp,
      (format) => gateUp(format, fewTokens(variant.gateUp, format)),
      ({ first, count }) => ({ T, tokensPerBlock, K: D, eps, F: count, F0: first, width: F }),
      s,
      input,
      s.hidden,
    );
  };

  const layers = weights.layers.map((w, i) => ({
    before: project(w, anglesOf(shape, activations, i)),
    attention: attend(caches[i]!),
    after: [
      ...multiply("oProj")(w.oProj, { K: H * d, width: D, add: true }, [s.attended], s.x),
      ...activate(w),
      ...multiply("downProj")(w.downProj, { K: F, width: D, add: true }, [s.hidden], s.x),
    ],
  }));

  const embedded = embedding(shape, weights, T, s);
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
): Launch[] {
  const { kernels, D, V, eps } = shape;
  const T = rowsOf(shape, tokensPerBlock);
  const kernel = (format: WeightFormat) => matvec(format, fewTokens(kernels.matvec.lmHead, format), "norm");
  const multiply = product(kernel, T, s, tokensPerBlock);
  return multiply(weights.lmHead, { K: D, eps, width: V }, [s.x, weights.finalNorm], s.logits);
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
export function prefill(shape: Shape, weights: Weights, activations: Activations): Launch[] {
  const { prefill: s, caches } = activations;
  const { cacheFormat, kernels, B, D, F, H, G, d, S, W, eps, queryScale, chunkLength: T } = shape;
  const multiply = (role: MatrixRole, addend?: Addend) =>
    product(manyTokens(kernels.matmul[role], addend), T, s);
  const attend = (cache: GPUBuffer): Launch => {
    const kernel = attentionVariants[kernels.attention.prefill].prefill(cacheFormat);
    return launch(kernel, { T, B, H, G, d, S, W, store: false }, s.qkv, cache, s.rows, s.attended);
  };

  const project = (w: LayerWeights): Launch[] => {
    const bias = optional(w.qkvBias);
    const size = { K: D, width: (H + 2 * G) * d };
    return multiply("qkv", addendOf(bias))(w.qkv, size, [s.normed], s.qkv, ...bias);
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
    ...project(w),
    ...rotate(w, i),
    attend(caches[i]!),
    ...multiply("oProj")(w.oProj, { K: H * d, width: D, add: true }, [s.attended], s.x),
    launch(rmsNorm, { T, D, eps }, s.x, w.postAttentionNorm, s.normed),
    ...multiply("gateUp")(w.gateUp, { K: D, width: 2 * F }, [s.normed], s.gateUp),
    ...(isStacked(w.gateUp) ? [{ first: 0, count: F }] : w.gateUp).map(({ first, count }) =>
      launch(swiglu, { T, F: count, F0: first, width: F }, s.gateUp, s.hidden),
    ),
    ...multiply("downProj")(w.downProj, { K: F, width: D, add: true }, [s.hidden], s.x),
  ];

  return [...embedding(shape, weights, T, s), ...weights.layers.flatMap(layer)];
}

/** The angles of a layer's queries and keys. */
const anglesOf = (
  { noRopeLayers }: Shape,
  { angles, noAngles }: Pick<Activations, "angles" | "noAngles">,
  layer: number,
): GPUBuffer => (noRopeLayers.includes(layer) ? noAngles! : angles);

const optional = (buffer: GPUBuffer | undefined): readonly GPUBuffer[] => (buffer ? [buffer] : []);
const addendOf = (bias: readonly GPUBuffer[]): Addend => (bias.length > 0 ? "bias" : "none");

/** Copies keys and values from one ring to another: `copiedRange` says which rings and slots. */
export const copyPrefix = (
  { cacheFormat, B, G, S, d }: Shape,
  { caches, copiedRange }: Activations,
): Launch[] => caches.map((cache) => launch(copySlots(cacheFormat), { B, G, S, d }, cache, copiedRange));

/**
 * After a prefill of at most SCORE_ROWS tokens: log-probability and rank of the token after each, given in
 * `prefill.targets`, and the likeliest tokens there.
 */
export function score(shape: Shape, weights: Weights, { prefill: s }: Activations): Launch[] {
  const { kernels, D, V, eps } = shape;
  const T = SCORE_ROWS;
  const multiply = product(manyTokens(kernels.matmul.lmHead), T, s);
  return [
    launch(rmsNorm, { T, D, eps }, s.x, weights.finalNorm, s.normed),
    ...multiply(weights.lmHead, { K: D, width: V }, [s.normed], s.logits),
    launch(logProb, { T, V }, s.logits, s.targets, s.logProbs, s.tokens),
  ];
}

/** The residual stream starts as the tokens' rows of the embedding. */
const embedding = (
  { D }: Shape,
  { embedTokens }: Weights,
  T: number,
  s: { readonly rows: GPUBuffer; readonly x: GPUBuffer },
): Launch[] =>
  embedTokens.map(({ first, count, format, buffers }) =>
    launch(embed(format), { T, K: D, N: count, N0: first }, s.rows, s.x, ...buffers),
  );

/** Whether parts have rows of gate_proj or of up_proj: their columns differ in order, so their inputs do. */
const isStacked = ([part]: Matrix): boolean => part?.rows === part?.count;

/** Parts in a format that a variant does not suit use one that suits all. */
const manyTokens = (variant: MatmulVariant, addend?: Addend) => (format: WeightFormat) =>
  matmul(format, suits(matmulVariants[variant], format) ? variant : "tile", addend);
const fewTokens = (variant: MatvecVariant, format: WeightFormat): MatvecVariant =>
  suits(matvecVariants[variant], format) ? variant : "stream";

/** What inputs of matrices are made into: by gather, and `codes` and `groups` by quantize_input. */
type Made = Pick<DecodeState, "codes" | "groups" | "gathered" | "gatheredGain">;

/** The input of a matrix: x, and the gain of RMSNorm if it is normed. */
type Input = readonly [x: GPUBuffer, gain?: GPUBuffer];

/**
 * A matrix with T rows of an input: a launch for each part, by the kernel for the part's format. Before it,
 * the input is put in the order of the part's columns, if that is another, and quantised for kernels that
 * multiply bytes: each once for all neighbours that read it so.
 * @param buffers the kernel's own, between its input and the weights
 */
function launches<Size extends { T: number; K: number; eps?: number }>(
  matrix: Matrix,
  kernel: (format: WeightFormat) => Kernel<Size>,
  sizeOf: (part: MatrixPart) => Size,
  { codes, groups, gathered, gatheredGain }: Made,
  input: Input,
  ...buffers: GPUBuffer[]
): Launch[] {
  const given = input.filter((buffer) => buffer !== undefined);
  const kind = given.length === 1 ? "plain" : "norm";
  const sorted = [gathered!, gatheredGain!].slice(0, given.length);
  let read = given;
  let columns: GPUBuffer | undefined;
  let quantizedAs: CodeOrder | undefined;
  return matrix.flatMap((part) => {
    const multiply = kernel(part.format);
    const size = sizeOf(part);
    const before: Launch[] = [];
    if (part.columns !== columns) {
      columns = part.columns;
      quantizedAs = undefined;
      read = columns ? sorted : given;
      if (columns) before.push(launch(gather(kind), size, ...given, columns, ...sorted));
    }
    const order = multiply.quantizedInput;
    if (!order) return [...before, launch(multiply, size, ...read, ...buffers, ...part.buffers)];
    if (order !== quantizedAs) before.push(launch(quantizeInput(order, kind), size, ...read, codes, groups));
    quantizedAs = order;
    return [...before, launch(multiply, size, codes, groups, ...buffers, ...part.buffers)];
  });
}

/**
 * A plain product.
 * @param add whether the result is added to the output
 * @param outputs y, and the bias if the kernel has one
 */
const product =
  (
    kernel: (format: WeightFormat) => Kernel<MatvecSize>,
    T: number,
    made: Made,
    tokensPerBlock?: TokensPerBlock,
  ) =>
  (
    matrix: Matrix,
    size: { K: number; width: number; add?: boolean; eps?: number },
    input: Input,
    ...outputs: readonly GPUBuffer[]
  ): Launch[] => {
    const block = tokensPerBlock && { tokensPerBlock };
    const sizeOf = ({ first, count, rows }: MatrixPart) => ({
      T,
      ...block,
      N: rows,
      N0: (first * rows) / count,
      ...size,
    });
    return launches(matrix, kernel, sizeOf, made, input, ...outputs);
  };
