// Where the rows of each checkpoint tensor are on the GPU: fused matrices, split into parts by rows.
import { bytesPerRow, padded, type WeightFormat, weightFormats } from "../../kernels/index.ts";
import type { FormatOf, ModelConfig, RequiredTensor } from "../../weights/index.ts";
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

/** Consecutive units of a matrix that are stored in one format. */
interface Section {
  readonly units: number;
  readonly format: WeightFormat;
}

/**
 * @param formatOf the format of each matrix of the checkpoint
 * @throws DeviceError when not even one unit of a matrix fits a binding
 */
export function modelLayout(config: ModelConfig, formatOf: FormatOf, maxBindingBytes: number): ModelLayout {
  const matrix = (tensors: readonly RequiredTensor[], fusion: Fusion | undefined): MatrixLayout => {
    const [{ name, shape }, ...others] = tensors as [RequiredTensor, ...RequiredTensor[]];
    const K = shape[1]!;
    const rowsPerUnit = fusion?.rowsPerUnit(config) ?? 1;
    const plan =
      fusion?.rows === "paired" ? paired(tensors, formatOf) : stacked(tensors, rowsPerUnit, formatOf);
    const label = others.length > 0 ? `${name} with ${others.map(({ role }) => role).join(", ")}` : name;
    const parts: PartLayout[] = [];
    let first = 0;
    for (const { units, format } of merged(plan.sections)) {
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
        parts.push({ first, count, format, rows: count * rowsPerUnit, ranges });
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

/** The sections of a matrix, and the tensor rows of its units [first, first + count). */
interface MatrixPlan {
  readonly sections: readonly Section[];
  readonly rangesOf: (first: number, count: number) => RowRange[];
}

/** All units of one tensor, then all of the next. A part may begin and end in any of them. */
function stacked(tensors: readonly RequiredTensor[], rowsPerUnit: number, formatOf: FormatOf): MatrixPlan {
  let end = 0;
  const spans = tensors.map(({ name, shape }) => {
    const from = end;
    end += shape[0]! / rowsPerUnit;
    return { name, from, to: end };
  });
  return {
    sections: spans.map(({ name, from, to }) => ({
      units: to - from,
      format: weightFormats[formatOf(name)],
    })),
    rangesOf: (first, count) =>
      spans.map(({ name: tensor, from, to }) => {
        const start = Math.max(first, from);
        const rows = (Math.min(first + count, to) - start) * rowsPerUnit;
        return { tensor, row: (start - from) * rowsPerUnit, rows, at: (start - first) * rowsPerUnit };
      }),
  };
}

/** A unit is the same row of each tensor. All are in the most exact of their formats, as they share parts. */
function paired(tensors: readonly RequiredTensor[], formatOf: FormatOf): MatrixPlan {
  const formats = tensors.map(({ name }) => weightFormats[formatOf(name)]);
  const format = formats.reduce((a, b) => (bytesPerRow(b, 1) > bytesPerRow(a, 1) ? b : a));
  return {
    sections: [{ units: tensors[0]!.shape[0]!, format }],
    rangesOf: (row, rows) => tensors.map(({ name: tensor }, i) => ({ tensor, row, rows, at: i * rows })),
  };
}

/** Joins consecutive sections of one format. */
function merged(sections: readonly Section[]): Section[] {
  const found: Section[] = [];
  for (const { units, format } of sections) {
    const last = found.at(-1);
    if (last?.format === format) found[found.length - 1] = { units: last.units + units, format };
    else found.push({ units, format });
  }
  return found;
}

/** `total` in `pieces` of nearly equal size, so that the last part keeps the GPU as busy as the first. */
const evenly = (total: number, pieces: number): number[] =>
  Array.from(
    { length: pieces },
    (_, i) => Math.floor(((i + 1) * total) / pieces) - Math.floor((i * total) / pieces),
  );

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
