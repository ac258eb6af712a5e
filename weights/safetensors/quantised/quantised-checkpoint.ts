// A checkpoint that its authors quantised: which tensors make a matrix, and in which format it is loaded.
import type { WeightFormatName } from "../../../kernels/formats/table.ts";
import type { Quantised, ReadTensors } from "../../checkpoint.ts";
import type { ModelConfig } from "../../config.ts";
import type { CheckpointError } from "../../errors.ts";
import type { JsonObject } from "../../json.ts";
import { readRows } from "../../rows.ts";
import type { Source } from "../../source.ts";
import type { Encoding, TensorInfo } from "../../tensor-info.ts";
import type { RequiredTensor } from "../../tensors.ts";
import { type Checked, checkTensor, FLOATS, numbersIn, refuseBias, refuseUnknown } from "../check-tensors.ts";
import type { HeaderTensor } from "../header.ts";
import { checkMixed } from "../mixed-formats.ts";
import { requiredTensors, tensorName } from "../names.ts";
import { packedName, scaleName } from "../packed.ts";
import type { Shards } from "../shards.ts";
import { readColumns } from "./act-order.ts";
import { findConfiguration, methodOf } from "./configuration.ts";
import { DECODED, type LoadedAs, loadedAs } from "./loaded-as.ts";
import type { Method, Wanted } from "./method.ts";
import { type Piece, PieceReader, pieceRowBytes } from "./rows.ts";
import { losslessFormat, partsOf, type StoredMatrix } from "./stored-matrix.ts";

export interface Opened {
  readonly source: Source;
  /** config.json */
  readonly json: JsonObject;
  readonly config: ModelConfig;
  readonly shards: Shards;
  readonly signal: AbortSignal | undefined;
}

/** Tensors beside a quantised matrix that say nothing about its weights. */
const UNUSED =
  /\.(activation_scale|input_scale|input_zero_point|output_scale|weight_shape|input_global_scale)$/;

/**
 * @param problem why the tensors are not those of ordinary weights
 * @throws CheckpointError naming file and tensor or field; `problem` if nothing here is quantised
 */
export async function checkQuantised(opened: Opened, problem: CheckpointError): Promise<Checked> {
  const { source, json, shards, signal } = opened;
  const mixed = await checkMixed(source, opened.config, shards, signal);
  if (mixed) return mixed;
  const fields = await findConfiguration(source, json, signal);
  if (!fields) throw problem;
  const method = methodOf(fields, problem);
  const head = tensorName("lmHead").replace(/weight$/, "");
  const stored = [...shards.tensors.keys()].some((name) => name.startsWith(head));
  const config = stored ? { ...opened.config, tied: false } : opened.config;
  const required = requiredTensors(config);

  const vectors = new Set(required.flatMap(({ kind, name }) => (kind === "vector" ? name : [])));
  const stores = (name: string) => (vectors.has(name) ? undefined : shards.tensors.get(name));
  const matrices = new Map<string, StoredMatrix>();
  for (const each of required) {
    const matrix = each.kind === "matrix" ? matrixOf(method, stores, each) : undefined;
    if (matrix) matrices.set(each.name, matrix);
  }
  if (matrices.size === 0) throw problem;
  checkAll(shards, config, required, matrices);

  const reader = new PieceReader(source, shards.tensors);
  const columns = await readColumns(required, matrices, method.ordered, (part) => reader.part(part, signal));
  const loaded = loadedAs(required, shards, matrices, columns);
  const asLoaded = readAs(loaded);
  const { quantised, ...rest } = describe(
    nameOf(method, [...matrices.values()]),
    loaded,
    columns,
    asLoaded.pieces,
  );
  return {
    config,
    parameters: numbersIn(required),
    ...asLoaded.tensorsRead,
    ...rest,
    quantised: {
      ...quantised,
      decoded: () =>
        readAs(new Map([...loaded].map(([name, { format }]) => [name, { format, lossless: false }])))
          .tensorsRead,
    },
  };

  /** The tensors of matrices that are read in these formats. */
  function readAs(as: ReadonlyMap<string, LoadedAs>) {
    const pieces = piecesOf(as, matrices);
    const tensors = inFileOrder(shards, required, pieces);
    const tensorsRead: ReadTensors = {
      tensors,
      bytes: [...tensors.values()].reduce((sum, { start, end }) => sum + end - start, 0),
      readRows: (tensor, options, from = source) => {
        const piece = pieces.get(tensor.name);
        return piece
          ? reader.rows(piece, options, from)
          : readRows({ source: from, tensors }, tensor, options);
      },
    };
    return { pieces: [...pieces.values()], tensorsRead };
  }
}

function piecesOf(
  loaded: ReadonlyMap<string, LoadedAs>,
  matrices: ReadonlyMap<string, StoredMatrix>,
): Map<string, Piece> {
  const pieces = new Map<string, Piece>();
  for (const [name, { lossless, ...as }] of loaded) {
    const stored = matrices.get(name);
    if (!stored) continue;
    // What sorts the columns was read.
    const matrix = as.columns ? { ...stored, groupIndex: undefined } : stored;
    if (lossless) {
      pieces.set(packedName(name), { ...as, matrix, kind: "words", part: matrix.codes });
      pieces.set(scaleName(name), { ...as, matrix, kind: "scales", part: matrix.scales });
    } else pieces.set(name, { ...as, matrix, kind: "floats", part: matrix.codes });
  }
  return pieces;
}

/** @param stores what the files store of this name; a bias of the model is no part of a matrix */
function matrixOf(
  method: Method,
  stores: (name: string) => HeaderTensor | undefined,
  { name, shape }: RequiredTensor,
): StoredMatrix | undefined {
  const [N = 0, K = 0] = shape;
  const module = name.replace(/\.weight$/, "");
  const wanted: Wanted = { name, module, N, K, stored: (suffix) => stores(`${module}.${suffix}`) };
  return method.matrix(wanted);
}

/** Every tensor is there, as expected, and no other belongs to the graph. */
function checkAll(
  shards: Shards,
  config: ModelConfig,
  required: readonly RequiredTensor[],
  matrices: ReadonlyMap<string, StoredMatrix>,
): void {
  const used = new Set<string>();
  const check = (name: string, shape: readonly number[], dtypes: readonly string[]) => {
    checkTensor(shards, name, shape, dtypes);
    used.add(name);
  };
  for (const { name, shape } of required) {
    const matrix = matrices.get(name);
    if (!matrix) check(name, shape, FLOATS);
    else for (const part of partsOf(matrix)) check(part.name, part.shape, part.dtypes);
  }
  const others = [...shards.tensors.values()].filter(({ name }) => !used.has(name) && !UNUSED.test(name));
  for (const tensor of others) refuseBias(tensor);
  for (const tensor of others) refuseUnknown(tensor, config);
}

/** Tensors as the engine reads them, file by file in the order of their bytes. */
function inFileOrder(
  shards: Shards,
  required: readonly RequiredTensor[],
  pieces: ReadonlyMap<string, Piece>,
): Map<string, TensorInfo> {
  const infos: TensorInfo[] = [...pieces].map(([name, piece]) => {
    // Every part was checked.
    const { file, start, end } = shards.tensors.get(piece.part.name) as HeaderTensor;
    const { matrix, kind } = piece;
    const rowBytes = pieceRowBytes(piece);
    const columns = kind === "floats" ? matrix.K : rowBytes / 4;
    const encoding: Encoding = kind === "floats" ? "F32" : kind;
    return { name, encoding, shape: [matrix.N, columns], file, start, end, rowBytes };
  });
  const quantised = new Set([...pieces.values()].map(({ matrix }) => matrix.name));
  for (const { name } of required) {
    if (quantised.has(name)) continue;
    const { dtype, ...tensor } = shards.tensors.get(name) as HeaderTensor;
    infos.push({ ...tensor, encoding: dtype });
  }
  const files = [...shards.metadata.keys()];
  infos.sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.start - b.start);
  return new Map(infos.map((info) => [info.name, info]));
}

/** "GPTQ with 4 bits, groups of 128, act-order". */
function nameOf({ name, ordered }: Method, matrices: readonly StoredMatrix[]): string {
  if (matrices.some(({ meaning }) => meaning === "e4m3")) return name;
  const groups = new Set(matrices.filter(({ K, group }) => group < K).map(({ group }) => group));
  const shared = groups.size > 0 ? `groups of ${[...groups].join(" and ")}` : "whole rows";
  return [name, shared, ...(ordered ? [] : ["act-order"])].join(", ");
}

function describe(
  name: string,
  loaded: ReadonlyMap<string, LoadedAs>,
  columns: ReadonlyMap<string, unknown>,
  pieces: readonly Piece[],
): Pick<Checked, "warnings"> & { readonly quantised: Quantised } {
  const counts = new Map<WeightFormatName, number>();
  for (const { format } of loaded.values()) counts.set(format, (counts.get(format) ?? 0) + 1);
  const [weights] = [...counts].reduce((most, each) => (each[1] > most[1] ? each : most));
  const quantised: Quantised = {
    name,
    weights,
    formatOf: (tensor) => loaded.get(tensor)?.format ?? weights,
    columnsOf: (tensor) => (loaded.get(tensor)?.meets ? undefined : loaded.get(tensor)?.columns),
    hiddenOrderOf: (layer) => loaded.get(tensorName("gateProj", layer))?.rows,
    convertible: pieces.every(({ kind }) => kind === "floats"),
  };
  const unsorted = pieces.filter(
    ({ kind, matrix }) => kind === "floats" && !columns.has(matrix.name) && losslessFormat(matrix, true),
  );
  const [first, ...others] = unsorted.map(({ matrix }) => matrix.name);
  if (first === undefined) return { quantised };
  const which = others.length > 0 ? `${first} and ${others.length} more matrices` : first;
  return {
    quantised,
    warnings: [
      `${which}: columns in act-order that do not sort into groups of one size. Kept in ${DECODED}.`,
    ],
  };
}
