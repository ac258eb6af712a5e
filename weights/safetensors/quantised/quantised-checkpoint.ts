// A checkpoint that its authors quantised: which tensors make a matrix, and in which format it is loaded.
import { scaleWords, type WeightFormatName, weightWords } from "../../../kernels/formats/table.ts";
import type { Quantised } from "../../checkpoint.ts";
import type { ModelConfig } from "../../config.ts";
import type { CheckpointError } from "../../errors.ts";
import type { JsonObject } from "../../json.ts";
import { readRows } from "../../rows.ts";
import type { Source } from "../../source.ts";
import type { Encoding, TensorInfo } from "../../tensor-info.ts";
import type { RequiredTensor } from "../../tensors.ts";
import { type Checked, checkTensor, FLOATS, numbersIn, refuseBias, refuseUnknown } from "../check-tensors.ts";
import type { HeaderTensor } from "../header.ts";
import { requiredTensors, tensorName } from "../names.ts";
import { packedName, scaleName } from "../packed.ts";
import type { Shards } from "../shards.ts";
import { findConfiguration, methodOf } from "./configuration.ts";
import type { Method, Wanted } from "./method.ts";
import { type Piece, PieceReader, pieceRowBytes } from "./rows.ts";
import { groupsOf, losslessFormat, partsOf, type StoredMatrix } from "./stored-matrix.ts";

export interface Opened {
  readonly source: Source;
  /** config.json */
  readonly json: JsonObject;
  readonly config: ModelConfig;
  readonly shards: Shards;
  readonly signal: AbortSignal | undefined;
}

/** Of a matrix whose numbers have no place in a smaller format. */
const DECODED: WeightFormatName = "q8";
const PLAIN: Readonly<Record<string, WeightFormatName>> = { F32: "f32", F16: "f16", BF16: "bf16" };
/** Tensors beside a quantised matrix that say nothing about its weights. */
const UNUSED =
  /\.(activation_scale|input_scale|input_zero_point|output_scale|weight_shape|input_global_scale)$/;

/**
 * @param problem why the tensors are not those of ordinary weights
 * @throws CheckpointError naming file and tensor or field; `problem` if nothing here is quantised
 */
export async function checkQuantised(opened: Opened, problem: CheckpointError): Promise<Checked> {
  const { source, json, shards, signal } = opened;
  const fields = await findConfiguration(source, json, signal);
  if (!fields) throw problem;
  const method = methodOf(fields, problem);
  const head = tensorName("lmHead").replace(/weight$/, "");
  const stored = [...shards.tensors.keys()].some((name) => name.startsWith(head));
  const config = stored ? { ...opened.config, tied: false } : opened.config;
  const required = requiredTensors(config);

  const matrices = new Map<string, StoredMatrix>();
  for (const each of required) {
    const matrix = each.kind === "matrix" ? matrixOf(method, shards, each) : undefined;
    if (matrix) matrices.set(each.name, matrix);
  }
  if (matrices.size === 0) throw problem;
  checkAll(shards, config, required, matrices);

  const reader = new PieceReader(source, shards.tensors);
  const formats = formatsOf(required, shards, matrices, method.ordered);
  const pieces = new Map<string, Piece>();
  for (const [name, { format, lossless }] of formats) {
    const matrix = matrices.get(name);
    if (!matrix) continue;
    if (lossless) {
      pieces.set(packedName(name), { matrix, kind: "words", format, part: matrix.codes });
      pieces.set(scaleName(name), { matrix, kind: "scales", format, part: matrix.scales });
    } else pieces.set(name, { matrix, kind: "floats", format, part: matrix.codes });
  }
  const tensors = inFileOrder(shards, required, pieces);
  return {
    config,
    tensors,
    parameters: numbersIn(required),
    bytes: [...tensors.values()].reduce((sum, { start, end }) => sum + end - start, 0),
    quantised: describe(method, formats, [...pieces.values()]),
    readRows: (tensor, options, from = source) => {
      const piece = pieces.get(tensor.name);
      return piece ? reader.rows(piece, options, from) : readRows({ source: from, tensors }, tensor, options);
    },
  };
}

function matrixOf(
  method: Method,
  { tensors }: Shards,
  { name, shape }: RequiredTensor,
): StoredMatrix | undefined {
  const [N = 0, K = 0] = shape;
  const module = name.replace(/\.weight$/, "");
  const wanted: Wanted = { name, module, N, K, stored: (suffix) => tensors.get(`${module}.${suffix}`) };
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

interface Chosen {
  readonly format: WeightFormatName;
  /** The format's buffers hold what the file stores. */
  readonly lossless: boolean;
}

/** The format of each matrix. gate_proj and up_proj share one: the larger of the two. */
function formatsOf(
  required: readonly RequiredTensor[],
  shards: Shards,
  matrices: ReadonlyMap<string, StoredMatrix>,
  ordered: boolean,
): ReadonlyMap<string, Chosen> {
  const formats = new Map<string, Chosen>();
  for (const { kind, name } of required) {
    if (kind === "vector") continue;
    const matrix = matrices.get(name);
    const format = matrix
      ? losslessFormat(matrix, ordered || groupsOf(matrix) === 1)
      : PLAIN[shards.tensors.get(name)?.dtype ?? ""];
    formats.set(name, { format: format ?? DECODED, lossless: format !== undefined });
  }
  const gates = required.filter(({ role }) => role === "gateProj");
  for (const { name: gate, layer } of gates) {
    const up = tensorName("upProj", layer);
    const [a, b] = [formats.get(gate), formats.get(up)] as [Chosen, Chosen]; // The graph needs both.
    if (a.format === b.format) continue;
    const format = rowWords(b.format) > rowWords(a.format) ? b.format : a.format;
    for (const [name, chosen] of [
      [gate, a],
      [up, b],
    ] as const)
      if (chosen.format !== format) formats.set(name, { format, lossless: false });
  }
  return formats;
}

/** A measure of a format's size: words of a short row. */
const rowWords = (format: WeightFormatName): number => weightWords(format, 1) + scaleWords(format, 1);

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

function describe(method: Method, formats: ReadonlyMap<string, Chosen>, pieces: readonly Piece[]): Quantised {
  const counts = new Map<WeightFormatName, number>();
  for (const { format } of formats.values()) counts.set(format, (counts.get(format) ?? 0) + 1);
  const [weights] = [...counts].reduce((most, each) => (each[1] > most[1] ? each : most));
  return {
    name: method.ordered ? method.name : `${method.name} and act-order, which is loaded as ${DECODED}`,
    weights,
    formatOf: (tensor) => formats.get(tensor)?.format ?? weights,
    convertible: pieces.every(({ kind }) => kind === "floats"),
  };
}
