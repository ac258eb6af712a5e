// Which rows of which checkpoint tensor lie where on the GPU: fused matrices, split by rows where a binding is too small.
import { bytesPerRow, padded, type WeightFormat, weightFormats } from "../../kernels/index.ts";
import {
  embedTokens,
  type FormatOf,
  finalNorm,
  layerNames,
  lmHead,
  type ModelConfig,
} from "../../weights/index.ts";
import type { MatrixRole } from "../api.ts";
import { DeviceError } from "../errors.ts";

/** Rows `row` … `row + rows` of a checkpoint tensor, resident in a part from row `at` on. */
export interface RowRange {
  readonly tensor: string;
  readonly row: number;
  readonly rows: number;
  readonly at: number;
}

/** Units [first, first + count) of a matrix, in one format and in one buffer for each of its bindings. */
export interface PartLayout {
  readonly first: number;
  readonly count: number;
  readonly format: WeightFormat;
  readonly rows: number;
  readonly runs: readonly RowRange[];
}

/** A matrix [rows, K]. A unit is what may not be torn apart: a row, a head, or a gate row with its up row. */
export interface MatrixLayout {
  readonly name: string;
  readonly K: number;
  readonly parts: readonly PartLayout[];
}

/** Units of a matrix, one after another, that are stored in one format. */
interface Section {
  readonly units: number;
  readonly format: WeightFormat;
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

/**
 * @param formatOf the format of each matrix of the checkpoint
 * @throws DeviceError when not even one unit of a matrix fits a binding
 */
export function modelLayout(config: ModelConfig, formatOf: FormatOf, maxBindingBytes: number): ModelLayout {
  const { L, D, F, H, G, d, V } = config;
  const format = (tensor: string): WeightFormat => weightFormats[formatOf(tensor)];

  /** Cuts sections into parts that fit a binding. `runsOf` gives the tensor rows of units [first, first + count). */
  const matrix = (
    name: string,
    K: number,
    rowsPerUnit: number,
    sections: readonly Section[],
    runsOf: (first: number, count: number) => RowRange[],
  ): MatrixLayout => {
    const parts: PartLayout[] = [];
    let first = 0;
    for (const { units, format } of merged(sections)) {
      const unitBytes = 4 * format.words(padded(K)) * rowsPerUnit;
      const most = Math.floor(maxBindingBytes / unitBytes);
      if (most < 1) {
        throw new DeviceError(
          `${name}: this adapter binds at most ${maxBindingBytes} bytes, ${rowsPerUnit} rows in ${format.name} need ${unitBytes}. Load a smaller weight format.`,
        );
      }
      for (const count of evenly(units, Math.ceil(units / most))) {
        parts.push({ first, count, format, rows: count * rowsPerUnit, runs: runsOf(first, count) });
        first += count;
      }
    }
    return { name, K, parts };
  };

  const plain = (tensor: string, N: number, K: number) =>
    matrix(tensor, K, 1, [{ units: N, format: format(tensor) }], (row, rows) => [
      { tensor, row, rows, at: 0 },
    ]);

  const layer = (i: number): LayerLayout => {
    const names = layerNames(i);
    // Heads count queries, then keys, then values; a part may begin and end in any of the three.
    const projections = [
      { tensor: names.qProj, from: 0, to: H },
      { tensor: names.kProj, from: H, to: H + G },
      { tensor: names.vProj, from: H + G, to: H + 2 * G },
    ];
    const heads = projections.map(({ tensor, from, to }) => ({ units: to - from, format: format(tensor) }));
    // The two rows of a unit share a part, so they get one format: the more exact of the two.
    const pair = [names.gateProj, names.upProj].map(format).reduce((a, b) => (moreExact(b, a) ? b : a));
    return {
      inputNorm: names.inputNorm,
      qkv: matrix(`${names.qProj} with k, v`, D, d, heads, (first, count) =>
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
      gateUp: matrix(`${names.gateProj} with up`, D, 2, [{ units: F, format: pair }], (row, rows) => [
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

/** Neighbours of one format become one section. */
function merged(sections: readonly Section[]): Section[] {
  const found: Section[] = [];
  for (const { units, format } of sections) {
    const last = found.at(-1);
    if (last?.format === format) found[found.length - 1] = { units: last.units + units, format };
    else found.push({ units, format });
  }
  return found;
}

/** `total` in `pieces` of nearly equal size: the last one should keep the GPU as busy as the first. */
const evenly = (total: number, pieces: number): number[] =>
  Array.from(
    { length: pieces },
    (_, i) => Math.floor(((i + 1) * total) / pieces) - Math.floor((i * total) / pieces),
  );

const moreExact = (a: WeightFormat, b: WeightFormat): boolean => bytesPerRow(a, 1) > bytesPerRow(b, 1);

/** Every matrix once. */
export function matrices(layout: ModelLayout): MatrixLayout[] {
  const all = [
    layout.embedTokens,
    ...layout.layers.flatMap(({ qkv, oProj, gateUp, downProj }) => [qkv, oProj, gateUp, downProj]),
    layout.lmHead,
  ];
  return [...new Set(all)];
}

/** Bytes of every part of every matrix. */
export const partBytes = (layout: ModelLayout): number[] =>
  matrices(layout).flatMap(({ K, parts }) => parts.map(({ rows, format }) => rows * bytesPerRow(format, K)));

/** The format that most rows of each matrix have, over all layers: the one to measure kernels with. */
export function mainFormats({ layers, lmHead }: ModelLayout): Record<MatrixRole, WeightFormat> {
  const main = (matrices: readonly MatrixLayout[]): WeightFormat => {
    const rowsIn = new Map<WeightFormat, number>();
    for (const { format, rows } of matrices.flatMap(({ parts }) => parts))
      rowsIn.set(format, (rowsIn.get(format) ?? 0) + rows);
    return [...rowsIn].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
  };
  return {
    qkv: main(layers.map(({ qkv }) => qkv)),
    oProj: main(layers.map(({ oProj }) => oProj)),
    gateUp: main(layers.map(({ gateUp }) => gateUp)),
    downProj: main(layers.map(({ downProj }) => downProj)),
    lmHead: main([lmHead]),
  };
}

/** Every norm's gain. */
export const gains = (layout: ModelLayout): string[] => [
  ...layout.layers.flatMap(({ inputNorm, postAttentionNorm }) => [inputNorm, postAttentionNorm]),
  layout.finalNorm,
];
