// Packed checkpoints whose matrices have each their own format, and perhaps their own order of columns: what
// `sirocco quantize` makes of quantised sources. `__metadata__` names the format of every matrix.
import { formatTable, type WeightFormatName, weightFormatNames } from "../../kernels/formats/table.ts";
import type { Checkpoint, FormatOf, HiddenOrderOf, Quantised } from "../checkpoint.ts";
import type { ModelConfig } from "../config.ts";
import { label, mismatch, show } from "../errors.ts";
import { own, parseJsonText } from "../json.ts";
import { readRows } from "../rows.ts";
import type { Source } from "../source.ts";
import type { RequiredTensor } from "../tensors.ts";
import { type Checked, checkTensor, FLOATS, numbersIn, refuseBias, refuseUnknown } from "./check-tensors.ts";
import { requiredTensors, tensorName } from "./names.ts";
import {
  formatsOf,
  packedEncoding,
  packedMetadata,
  packedName,
  packedTensors,
  type StoredTensor,
} from "./packed.ts";
import type { Shards } from "./shards.ts";

/** Version of packed files with a format for each matrix. Those with one rule for all have version 2. */
const MIXED_VERSION = "3";
const ADVICE = "Quantise the original checkpoint again.";

/** Name of the order of a matrix's columns: U32 [K]. Missing if they are in the order of the input. */
export const columnsName = (name: string): string => `${name}.columns`;

/**
 * Name of the order of a layer's feed-forward entries: U32 [F], as `Quantised.hiddenOrderOf` has it. If a
 * matrix has an order of columns, or a layer this one, all layers have it.
 */
export const hiddenOrderName = (layer: number): string => `${tensorName("gateProj", layer)}.rows`;

const matricesOf = (config: ModelConfig): RequiredTensor[] =>
  requiredTensors(config).filter(({ kind }) => kind === "matrix");

/** Formats by how many matrices have them, the most first. */
export function formatsByCount(config: ModelConfig, formatOf: FormatOf): WeightFormatName[] {
  const counts = new Map<WeightFormatName, number>();
  for (const { name } of matricesOf(config))
    counts.set(formatOf(name), (counts.get(formatOf(name)) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([format]) => format);
}

/** The orders of a packed file, by the names of their tensors. */
export function packedOrders(
  config: ModelConfig,
  { columnsOf, hiddenOrderOf }: Pick<Quantised, "columnsOf" | "hiddenOrderOf">,
): ReadonlyMap<string, Uint32Array> {
  const columns = matricesOf(config).flatMap(({ name }): [string, Uint32Array][] => {
    const order = columnsOf?.(name);
    return order ? [[columnsName(name), order]] : [];
  });
  const layers = Array.from({ length: config.L }, (_, layer) => hiddenOrderOf?.(layer));
  if (columns.length === 0 && !layers.some(Boolean)) return new Map();
  const inOrder = Uint32Array.from({ length: config.F }, (_, i) => i);
  return new Map([
    ...columns,
    ...layers.map((order, layer) => [hiddenOrderName(layer), order ?? inOrder] as const),
  ]);
}

/**
 * What the header of a packed file says: all matrices by one rule, or each its own format; a lost window.
 * @param orders as `packedOrders` gives them
 */
export function packedHeader(
  { config, lostWindow }: Pick<Checkpoint, "config" | "lostWindow">,
  formatOf: FormatOf,
  orders: ReadonlyMap<string, Uint32Array>,
) {
  const matrices = matricesOf(config);
  const ordered = [...orders].map(
    ([name, { length }]): StoredTensor => ({ name, shape: [length], dtype: "U32" }),
  );
  const tensors = [...packedTensors(config, formatOf), ...ordered];
  const byRule = weightFormatNames.find((weights) =>
    matrices.every(({ name }) => formatsOf(weights, config)(name) === formatOf(name)),
  );
  const lost: Record<string, string> = lostWindow === undefined ? {} : { lost_window: `${lostWindow}` };
  if (byRule && orders.size === 0) return { tensors, metadata: { ...packedMetadata(byRule), ...lost } };
  const formats = Object.fromEntries(matrices.map(({ name }) => [name, formatOf(name)]));
  return {
    tensors,
    metadata: { format: "sirocco", version: MIXED_VERSION, formats: JSON.stringify(formats), ...lost },
  };
}

/**
 * Checks the tensors of a packed checkpoint with a format for each matrix, and reads the orders of columns.
 * @returns undefined for other checkpoints
 * @throws CheckpointError naming file and tensor
 */
export async function checkMixed(
  source: Source,
  declared: ModelConfig,
  shards: Shards,
  signal: AbortSignal | undefined,
): Promise<Checked | undefined> {
  const [[file, metadata] = ["", {}], second] = shards.metadata;
  if (metadata["format"] !== "sirocco" || metadata["version"] !== MIXED_VERSION) return undefined;
  if (second) throw mismatch(second[0], `all tensors in ${file}`, "another file", ADVICE);
  const head = shards.tensors.has(packedName(tensorName("lmHead")));
  const config = head ? { ...declared, tied: false } : declared;
  const formats = parseFormats(metadata["formats"], config, `${file}: __metadata__: formats`);
  const formatOf: FormatOf = (tensor) => formats.get(tensor) ?? "f32";
  const isSorted = (name: string): boolean => shards.tensors.has(columnsName(name));
  const sorted = matricesOf(config).filter(
    ({ name, layer }) => layer !== undefined && formatTable[formatOf(name)].scaleBits > 0 && isSorted(name),
  );
  const stored = packedTensors(config, formatOf);
  const ordered = [
    ...sorted.map(({ name, shape }) => ({ name: columnsName(name), length: shape[1] ?? 0 })),
    ...Array.from({ length: config.L }, (_, layer) => ({
      name: hiddenOrderName(layer),
      length: config.F,
    })).filter(({ name }) => shards.tensors.has(name)),
  ];
  const wanted = new Set([...stored, ...ordered].map(({ name }) => name));
  const others = [...shards.tensors.values()].filter(({ name }) => !wanted.has(name));
  for (const tensor of others) refuseBias(tensor);
  const checked = stored.map(({ name, shape, dtype }) =>
    checkTensor(shards, name, shape, dtype === "U32" ? ["U32"] : FLOATS),
  );
  for (const tensor of others) refuseUnknown(tensor, config);
  const orders = await readOrders(source, shards, ordered, signal);
  const hiddenOrderOf: HiddenOrderOf = (layer) => orders.get(hiddenOrderName(layer));
  const tensors = new Map(
    checked
      .toSorted((a, b) => a.start - b.start)
      .map(({ dtype, ...tensor }) => [
        tensor.name,
        { ...tensor, encoding: dtype === "U32" ? packedEncoding(tensor.name, formatOf) : dtype },
      ]),
  );
  const [weights = "f32", ...less] = formatsByCount(config, formatOf);
  return {
    config,
    tensors,
    parameters: numbersIn(requiredTensors(config)),
    bytes: checked.reduce((sum, { start, end }) => sum + end - start, 0),
    quantised: {
      name: `packed as ${[weights, ...less].join(", ")}`,
      ...{ weights, formatOf, columnsOf: (tensor) => orders.get(columnsName(tensor)), convertible: false },
      ...(ordered.length > sorted.length && { hiddenOrderOf }),
    },
    readRows: (tensor, options, from = source) => readRows({ source: from, tensors }, tensor, options),
  };
}

/** The format of every matrix and of nothing else. */
function parseFormats(
  text: string | undefined,
  config: ModelConfig,
  where: string,
): ReadonlyMap<string, WeightFormatName> {
  const json = parseJsonText(text ?? "", where, ADVICE);
  const formats = new Map<string, WeightFormatName>();
  for (const { name } of matricesOf(config)) {
    const given = own(json, name);
    const format = weightFormatNames.find((known) => known === given);
    if (!format)
      throw mismatch(`${where}: ${name}`, `one of ${weightFormatNames.join(", ")}`, show(given), ADVICE);
    formats.set(name, format);
  }
  const unknown = Object.keys(json).find((name) => !formats.has(name));
  if (unknown !== undefined)
    throw mismatch(`${where}: ${label(unknown)}`, "a matrix of the model", "none", ADVICE);
  for (let layer = 0; layer < config.L; layer++) {
    const [gate, up] = [tensorName("gateProj", layer), tensorName("upProj", layer)];
    if (formats.get(gate) === formats.get(up)) continue;
    throw mismatch(`${where}: ${up}`, `${formats.get(gate)}, as of gate_proj`, show(formats.get(up)), ADVICE);
  }
  return formats;
}

/** By name. Equal orders are one array. */
async function readOrders(
  source: Source,
  shards: Shards,
  ordered: readonly { readonly name: string; readonly length: number }[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Uint32Array>> {
  const orders = new Map<string, Uint32Array>();
  const known = new Map<string, Uint32Array>();
  for (const { name, length } of ordered) {
    const { file, start, end } = checkTensor(shards, name, [length], ["U32"]);
    const bytes = await source.read(file, start, end, signal);
    const order = new Uint32Array(bytes.buffer, 0, bytes.length / 4);
    const seen = new Uint8Array(order.length);
    for (const column of order) if (column < seen.length) seen[column] = 1;
    if (seen.includes(0)) throw mismatch(`${file}: ${name}`, "every number once", "another order", ADVICE);
    const key = order.join();
    known.set(key, known.get(key) ?? order);
    orders.set(name, known.get(key) ?? order);
  }
  return orders;
}
