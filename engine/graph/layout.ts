// Which rows of which checkpoint tensor lie where on the GPU: fused matrices, split by rows where a binding is too small.
import { padded, type WeightFormat, type WeightFormatName, weightFormats } from "../../kernels/index.ts";
import {
  embedTokens,
  finalNorm,
  layerNames,
  lmHead,
  type ModelConfig,
  matrixFormat,
} from "../../weights/index.ts";
import { DeviceError } from "../errors.ts";

/** Rows `row` … `row + rows` of a checkpoint tensor, resident in a part from row `at` on. */
export interface RowRange {
  readonly tensor: string;
  readonly row: number;
  readonly rows: number;
  readonly at: number;
}

/** One buffer's worth of a matrix: `count` units from unit `first` on. */
export interface PartLayout {
  readonly first: number;
  readonly count: number;
  readonly rows: number;
  readonly runs: readonly RowRange[];
}

/** A matrix [rows, K]. A unit is what may not be torn apart: a row, a head, or a gate row with its up row. */
export interface MatrixLayout {
  readonly name: string;
  readonly format: WeightFormat;
  readonly K: number;
  readonly parts: readonly PartLayout[];
}

export interface LayerLayout {
  readonly inputNorm: string;
  readonly qkv: MatrixLayout;
  readonly oProj: MatrixLayout;
  readonly postAttentionNorm: string;
  readonly gateUp: MatrixLayout;
  readonly downProj: MatrixLayout;
}

export interface ModelLayout {
  readonly embedTokens: MatrixLayout;
  readonly layers: readonly LayerLayout[];
  readonly finalNorm: string;
  /** The embedding itself where the two are tied. */
  readonly lmHead: MatrixLayout;
}

/** @throws DeviceError where not even one unit of a matrix fits a binding. */
export function modelLayout(
  config: ModelConfig,
  weights: WeightFormatName,
  maxBindingBytes: number,
): ModelLayout {
  const { L, D, F, H, G, d, V } = config;

  /** Cuts `units` of `rowsPerUnit` rows into parts that fit; `runsOf` tells where the rows of some units come from. */
  const matrix = (
    name: string,
    K: number,
    units: number,
    rowsPerUnit: number,
    runsOf: (first: number, count: number) => RowRange[],
  ): MatrixLayout => {
    const format = weightFormats[matrixFormat(weights, name, config)];
    const unitBytes = 4 * format.words(padded(K)) * rowsPerUnit;
    const most = Math.floor(maxBindingBytes / unitBytes);
    if (most < 1) {
      throw new DeviceError(
        `${name}: this adapter binds at most ${maxBindingBytes} bytes, ${rowsPerUnit} rows in ${format.name} need ${unitBytes}. Load a smaller weight format.`,
      );
    }
    // Parts of nearly equal size: the last one should keep the GPU as busy as the first.
    const pieces = Math.ceil(units / most);
    const parts = Array.from({ length: pieces }, (_, i) => {
      const first = Math.floor((i * units) / pieces);
      const count = Math.floor(((i + 1) * units) / pieces) - first;
      return { first, count, rows: count * rowsPerUnit, runs: runsOf(first, count) };
    });
    return { name, format, K, parts };
  };

  const plain = (tensor: string, N: number, K: number) =>
    matrix(tensor, K, N, 1, (row, rows) => [{ tensor, row, rows, at: 0 }]);

  const layer = (i: number): LayerLayout => {
    const names = layerNames(i);
    // Heads count queries, then keys, then values; a part may begin and end in any of the three.
    const projections = [
      { tensor: names.qProj, from: 0, to: H },
      { tensor: names.kProj, from: H, to: H + G },
      { tensor: names.vProj, from: H + G, to: H + 2 * G },
    ];
    return {
      inputNorm: names.inputNorm,
      qkv: matrix(`${names.qProj} with k, v`, D, H + 2 * G, d, (first, count) =>
        projections
          .map(({ tensor, from, to }) => {
            const start = Math.max(first, from);
            const end = Math.min(first + count, to);
            return { tensor, row: (start - from) * d, rows: (end - start) * d, at: (start - first) * d };
          })
          .filter(({ rows }) => rows > 0),
      ),
      oProj: plain(names.oProj, D, H * d),
      postAttentionNorm: names.postAttentionNorm,
      gateUp: matrix(`${names.gateProj} with up`, D, F, 2, (row, rows) => [
        { tensor: names.gateProj, row, rows, at: 0 },
        { tensor: names.upProj, row, rows, at: rows },
      ]),
      downProj: plain(names.downProj, D, F),
    };
  };

  const embedding = plain(embedTokens, V, D);
  return {
    embedTokens: embedding,
    layers: Array.from({ length: L }, (_, i) => layer(i)),
    finalNorm,
    lmHead: config.tied ? embedding : plain(lmHead, V, D),
  };
}

/** Every matrix once. */
export function matrices(layout: ModelLayout): MatrixLayout[] {
  const all = [
    layout.embedTokens,
    ...layout.layers.flatMap(({ qkv, oProj, gateUp, downProj }) => [qkv, oProj, gateUp, downProj]),
    layout.lmHead,
  ];
  return [...new Set(all)];
}

/** Every norm's gain. */
export const gains = (layout: ModelLayout): string[] => [
  ...layout.layers.flatMap(({ inputNorm, postAttentionNorm }) => [inputNorm, postAttentionNorm]),
  layout.finalNorm,
];
