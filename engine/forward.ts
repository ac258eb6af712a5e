// READ FIRST: the transformer, as lists of kernel, size, buffers. Built once a model and replayed for every token.
// T tokens in this pass · S cache slots · W window · L layers · D model width · F feed-forward width · H query heads ·
// G key/value heads · d head width · V vocabulary. A matrix may lie in several parts by rows: one dispatch each.
import {
  attention,
  attentionCombine,
  attentionLane,
  attentionTile,
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
} from "../kernels/index.ts";
import { type Activations, SCORE_ROWS } from "./activations.ts";
import { type Launch, launch } from "./gpu.ts";
import type { Shape } from "./shape.ts";
import type { LayerWeights, Weights } from "./weights.ts";

/** One token of every sequence: from the ids in `decode.rows` to the residual stream after the last layer. */
export function decode(shape: Shape, weights: Weights, { decode: s, caches, angles }: Activations): Launch[] {
  const { format, team, B, D, F, H, G, d, S, W, SPLITS, eps } = shape;
  const T = B;

  const attend = (cache: GPUBuffer): Launch[] => {
    const size = { T, B, H, G, d, S, W, SPLITS };
    if (team === "lane") return [launch(attentionLane, size, s.q, cache, s.rows, s.attended)];
    if (SPLITS === 1) return [launch(attention, size, s.q, cache, s.rows, s.attended)];
    return [
      launch(attention, size, s.q, cache, s.rows, s.partial),
      launch(attentionCombine, size, s.partial, s.attended),
    ];
  };

  const layer = (w: LayerWeights, i: number): Launch[] => [
    ...w.qkv.map(({ first, count, buffers }) =>
      launch(
        qkv(format, team),
        { T, K: D, eps, B, H, G, d, S, heads: count, head0: first },
        ...[s.x, w.inputNorm, s.rows, angles, s.q, caches[i]!, ...buffers],
      ),
    ),
    ...attend(caches[i]!),
    ...w.oProj.map(({ first, count, buffers }) =>
      launch(
        matvec(format, team),
        { T, K: H * d, N: count, N0: first, width: D, add: true },
        s.attended,
        s.x,
        ...buffers,
      ),
    ),
    ...w.gateUp.map(({ first, count, buffers }) =>
      launch(
        gateUp(format, team),
        { T, K: D, eps, F: count, F0: first, width: F },
        ...[s.x, w.postAttentionNorm, s.hidden, ...buffers],
      ),
    ),
    ...w.downProj.map(({ first, count, buffers }) =>
      launch(
        matvec(format, team),
        { T, K: F, N: count, N0: first, width: D, add: true },
        s.hidden,
        s.x,
        ...buffers,
      ),
    ),
  ];

  return [
    ...weights.embedTokens.map(({ first, count, buffers }) =>
      launch(embed(format), { T, K: D, N: count, N0: first }, s.rows, s.x, ...buffers),
    ),
    ...weights.layers.flatMap(layer),
  ];
}

/** Final norm and lm_head: logits of every sequence from its residual stream. */
export function head(shape: Shape, weights: Weights, { decode: s }: Activations): Launch[] {
  const { format, team, B, D, V, eps } = shape;
  return weights.lmHead.map(({ first, count, buffers }) =>
    launch(
      matvec(format, team, "norm"),
      { T: B, K: D, eps, N: count, N0: first, width: V },
      ...[s.x, weights.finalNorm, s.logits, ...buffers],
    ),
  );
}

/** The next id of every sequence, put where `decode` reads it. */
export const choose = ({ B, V }: Shape, { decode: s, sampler }: Activations): Launch[] => [
  launch(sample, { B, V }, s.logits, sampler.counts, sampler.bias, sampler.params, s.rows),
];

/** A chunk of one sequence: from the ids in `prefill.rows` to the residual stream after the last layer. */
export function prefill(
  shape: Shape,
  weights: Weights,
  { prefill: s, caches, angles }: Activations,
): Launch[] {
  const { format, team, B, D, F, H, G, d, S, W, eps, chunkLength: T } = shape;
  const attend = team === "lane" ? attentionLane : attentionTile;

  const layer = (w: LayerWeights, i: number): Launch[] => [
    launch(rmsNorm, { T, D, eps }, s.x, w.inputNorm, s.normed),
    ...w.qkv.map(({ first, count, buffers }) =>
      launch(
        matmul(format, team),
        { T, K: D, N: count * d, N0: first * d, width: (H + 2 * G) * d },
        ...[s.normed, s.qkv, ...buffers],
      ),
    ),
    launch(ropeCache, { T, B, H, G, d, S }, s.qkv, s.rows, angles, s.q, caches[i]!),
    launch(attend, { T, B, H, G, d, S, W }, s.q, caches[i]!, s.rows, s.attended),
    ...w.oProj.map(({ first, count, buffers }) =>
      launch(
        matmul(format, team),
        { T, K: H * d, N: count, N0: first, width: D, add: true },
        s.attended,
        s.x,
        ...buffers,
      ),
    ),
    launch(rmsNorm, { T, D, eps }, s.x, w.postAttentionNorm, s.normed),
    ...w.gateUp.map(({ first, count, buffers }) =>
      launch(
        matmul(format, team),
        { T, K: D, N: 2 * count, N0: 2 * first, width: 2 * F },
        s.normed,
        s.gateUp,
        ...buffers,
      ),
    ),
    ...w.gateUp.map(({ first, count }) =>
      launch(swiglu, { T, F: count, F0: first, width: F }, s.gateUp, s.hidden),
    ),
    ...w.downProj.map(({ first, count, buffers }) =>
      launch(
        matmul(format, team),
        { T, K: F, N: count, N0: first, width: D, add: true },
        s.hidden,
        s.x,
        ...buffers,
      ),
    ),
  ];

  return [
    ...weights.embedTokens.map(({ first, count, buffers }) =>
      launch(embed(format), { T, K: D, N: count, N0: first }, s.rows, s.x, ...buffers),
    ),
    ...weights.layers.flatMap(layer),
  ];
}

/** After a prefill of at most SCORE_ROWS tokens: the log-probability of each one's successor in `prefill.targets`. */
export function score(shape: Shape, weights: Weights, { prefill: s }: Activations): Launch[] {
  const { format, team, D, V, eps } = shape;
  const T = SCORE_ROWS;
  return [
    launch(rmsNorm, { T, D, eps }, s.x, weights.finalNorm, s.normed),
    ...weights.lmHead.map(({ first, count, buffers }) =>
      launch(
        matmul(format, team),
        { T, K: D, N: count, N0: first, width: V },
        s.normed,
        s.logits,
        ...buffers,
      ),
    ),
    launch(logProb, { T, V }, s.logits, s.targets, s.logProbs),
  ];
}
