// Where the rows of each checkpoint tensor are on the GPU: fused matrices, split into parts by rows.
import { bytesPerRow, padded, type WeightFormat, weightFormats } from "../../kernels/index.ts";
import type { ColumnsOf, FormatOf, ModelConfig, RequiredTensor } from "../../weights/index.ts";
import type { MatrixRole } from "../api.ts";
import { DeviceError } from "../errors.ts";
import { type Fusion, flatTensors, layerMatrices, type ModelTensors, modelTensors } from "./model-tensors.ts";

/** Rows [row, row + rows) of a checkpoint tensor, which are rows [at, at + rows) of a part. */
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
  readonly ranges: readonly RowRange[];
  /** [K], if the columns are in another order than the input: see `Quantised`. */
  readonly order: Uint32Array | undefined;
}

/** A matrix [rows, K]. Parts have whole units: rows, heads, or gate rows with their up rows. */
export interface MatrixLayout {
  readonly name: string;
  readonly K: number;
  readonly parts: readonly PartLayout[];
}

/** A vector of f32, padded with zeros: a tensor, or several one after the other. */
export interface VectorLayout {
  readonly tensors: readonly { readonly name: string; readonly length: number }[];
  readonly length: number;
}

/** Rows of a part: 65535 workgroups, WebGPU's limit in a dimension, of matvec's 4 rows. */
const MAX_PART_ROWS = 65535 * 4;

export type ModelLayout = ModelTensors<MatrixLayout, VectorLayout>;

/** Consecutive units of a matrix that are stored in one format, with columns in one order. */
interface Section {
  readonly units: number;
  readonly format: WeightFormat;
  readonly order: Uint32Array | undefined;
}

/**
 * @param formatOf the format of each matrix of the checkpoint
 * @param columnsOf the order of its columns. Default: that of the input
 * @throws DeviceError when not even one unit of a matrix fits a binding
 */
export function modelLayout(
  config: ModelConfig,
  formatOf: FormatOf,
  maxBindingBytes: number,
  columnsOf: ColumnsOf = () => undefined,
): ModelLayout {
  const storedAs: StoredAs = (name) => ({ format: weightFormats[formatOf(name)], order: columnsOf(name) });
  const matrix = (tensors: readonly RequiredTensor[], fusion: Fusion | undefined): MatrixLayout => {
    const [{ name, shape }, ...others] = tensors as [RequiredTensor, ...RequiredTensor[]];
    const K = shape[1]!;
    const pairs = fusion?.rows === "paired";
    const together = pairs && new Set(tensors.map((tensor) => columnsOf(tensor.name))).size === 1;
    const rowsPerUnit = pairs && !together ? 1 : (fusion?.rowsPerUnit(config) ?? 1);
    const plan = together ? paired(tensors, storedAs) : stacked(tensors, rowsPerUnit, storedAs);
    const label = others.length > 0 ? `${name} with ${others.map(({ role }) => role).join(", ")}` : name;
    const parts: PartLayout[] = [];
    let first = 0;
    for (const { units, format, order } of merged(plan.sections)) {
      const unitBytes = 4 * format.words(padded(K)) * rowsPerUnit;
      const maxUnits = Math.floor(Math.min(maxBindingBytes / unitBytes, MAX_PART_ROWS / rowsPerUnit));
      if (maxUnits < 1) {
        throw new DeviceError(
          `${label}: this adapter binds at most ${maxBindingBytes} bytes, ${rowsPerUnit} rows in ${format.name} need ${unitBytes}. Load a smaller weight format.`,
          { code: "adapter-limit" },
        );
      }
      for (const count of evenly(units, Math.ceil(units / maxUnits))) {
        const ranges = plan.rangesOf(first, count).filter(({ rows }) => rows > 0);
        parts.push({ first, count, format, rows: count * rowsPerUnit, ranges, order });
        first += count;
      }
    }
    return { name: label, K, parts };
  };
  return modelTensors(config, matrix, (joined) => {
    const tensors = joined.map(({ name, shape }) => ({ name, length: shape[0]! }));
    return { tensors, length: tensors.reduce((sum, { length }) => sum + length, 0) };
  });
}

type StoredAs = (tensor: string) => Omit<Section, "units">;

/** The sections of a matrix, and the tensor rows of its units [first, first + count). */
interface MatrixPlan {
  readonly sections: readonly Section[];
  readonly rangesOf: (first: number, count: number) => RowRange[];
}

/** All units of one tensor, then all of the next. A part may begin and end in any of them. */
function stacked(tensors: readonly RequiredTensor[], rowsPerUnit: number, storedAs: StoredAs): MatrixPlan {
  let end = 0;
  const spans = tensors.map(({ name, shape }) => {
    const from = end;
    end += shape[0]! / rowsPerUnit;
    return { name, from, to: end };
  });
  return {
    sections: spans.map(({ name, from, to }) => ({ units: to - from, ...storedAs(name) })),
    rangesOf: (first, count) =>
      spans.map(({ name: tensor, from, to }) => {
        const start = Math.max(first, from);
        const rows = (Math.min(first + count, to) - start) * rowsPerUnit;
        return { tensor, row: (start - from) * rowsPerUnit, rows, at: (start - first) * rowsPerUnit };
      }),
  };
}

/**
 * A unit is the same row of each tensor. All are in the most exact of their formats, as they share parts, and
 * the order of their columns is one.
 */
function paired(tensors: readonly RequiredTensor[], storedAs: StoredAs): MatrixPlan {
  const all = tensors.map(({ name }) => storedAs(name));
  const most = all.reduce((a, b) => (bytesPerRow(b.format, 1) > bytesPerRow(a.format, 1) ? b : a));
  return {
    sections: [{ units: tensors[0]!.shape[0]!, ...most }],
    rangesOf: (row, rows) => tensors.map(({ name: tensor }, i) => ({ tensor, row, rows, at: i * rows })),
  };
}

/** Joins consecutive sections that are stored alike. */
function merged(sections: readonly Section[]): Section[] {
  const found: Section[] = [];
  for (const section of sections) {
    const last = found.at(-1);
    if (last && last.format === section.format && last.order === section.order)
      found[found.length - 1] = { ...last, units: last.units + section.units };
    else found.push(section);
  }
  return found;
}

/** `total` in `pieces` of nearly equal size, so that the last part keeps the GPU as busy as the first. */
const evenly = (total: number, pieces: number): number[] =>
  Array.from(
    { length: pieces },
    (_, i) => Math.floor(((i + 1) * total) / pieces) - Math.floor((i * total) / pieces),
  );

/** Every matrix by its role. A tied embedding is lm_head as well. */
export const allMatrices = ({ layers, embedTokens, lmHead }: ModelLayout) => [
  { role: "embedTokens", layer: undefined, matrix: embedTokens } as const,
  ...layers.flatMap((layer, i) =>
    layerMatrices.map((role) => ({ role, layer: i, matrix: layer[role] }) as const),
  ),
  { role: "lmHead", layer: undefined, matrix: lmHead } as const,
];

/** Every matrix once, also an embedding that is lm_head as well. */
const matrices = (layout: ModelLayout): MatrixLayout[] => [
  ...new Set(
    flatTensors(
      layout,
      (matrix) => [matrix],
      () => [],
    ),
  ),
];

export const vectors = (layout: ModelLayout): VectorLayout[] =>
  flatTensors(
    layout,
    () => [],
    (vector) => [vector],
  );

/** Bytes of every part of every matrix. */
export const partBytes = (layout: ModelLayout): number[] =>
  matrices(layout).flatMap(({ K, parts }) => parts.map(({ rows, format }) => rows * bytesPerRow(format, K)));

/** The orders of columns that are not the input's, each once. */
export const columnOrders = (layout: ModelLayout): Uint32Array[] => [
  ...new Set(matrices(layout).flatMap(({ parts }) => parts.flatMap(({ order }) => order ?? []))),
];

/** Whether a layer's gate_proj and up_proj are not in pairs of rows, as their columns differ in order. */
export const hasGateThenUp = ({ layers }: ModelLayout): boolean =>
  layers.some(({ gateUp }) => gateUp.parts.some(({ rows, count }) => rows === count));

/** A matrix as a whole: its size, and the format that most of its rows have in all layers. */
export interface MainMatrix {
  readonly N: number;
  readonly K: number;
  readonly format: WeightFormat;
}

/** The matrices that tokens are multiplied with. The tuner measures these. */
export function mainMatrices({ layers, lmHead }: ModelLayout): Record<MatrixRole, MainMatrix> {
  const main = (all: readonly MatrixLayout[]): MainMatrix => {
    const rowsIn = new Map<WeightFormat, number>();
    for (const { format, rows } of all.flatMap(({ parts }) => parts))
      rowsIn.set(format, (rowsIn.get(format) ?? 0) + rows);
    const [format] = [...rowsIn].reduce((most, each) => (each[1] > most[1] ? each : most));
    const { K, parts } = all[0]!;
    return { N: parts.reduce((sum, { rows }) => sum + rows, 0), K, format };
  };
  const ofLayers = layerMatrices.map((role) => [role, main(layers.map((layer) => layer[role]))]);
  return { ...Object.fromEntries(ofLayers), lmHead: main([lmHead]) };
}
