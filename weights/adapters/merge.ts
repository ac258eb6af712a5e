// A checkpoint with an adapter merged into it: W + scale · B · A, row by row.
import type { Checkpoint } from "../checkpoint.ts";
import { mismatch } from "../errors.ts";
import { toFloats } from "../floats.ts";
import type { ModelConfig } from "../model-config.ts";
import type { ReadRowsOptions, TensorRows } from "../rows.ts";
import { numbersIn } from "../safetensors/check-tensors.ts";
import { requiredTensors, tensorName } from "../safetensors/names.ts";
import type { Source } from "../source.ts";
import type { TensorInfo } from "../tensor-info.ts";
import type { Adapter, AdapterChange, AdapterMatrix } from "./adapter.ts";

type From = Pick<Source, "name" | "read">;
type Row = Float64Array;

const embedding = tensorName("embedTokens");
const lmHead = tensorName("lmHead");

/**
 * The checkpoint as the adapter changes it. All tensors are read as f32, those that it does not change, too;
 * quantised ones are dequantised. Where one matrix is embedding and lm_head, and the adapter changes only one
 * of them, there are two afterwards.
 * @throws CheckpointError for a checkpoint that cannot be dequantised, or a change that no weight can express
 */
export function mergeAdapter(checkpoint: Checkpoint, adapter: Adapter): Checkpoint {
  const { quantised, source } = checkpoint;
  if (quantised && !quantised.convertible && !quantised.decoded) {
    throw mismatch(
      source.name,
      "an original checkpoint",
      `one ${quantised.name}`,
      "Merge into the original.",
    );
  }
  const { changes } = adapter;
  const config: ModelConfig = { ...checkpoint.config, tied: checkpoint.config.tied && !unties(adapter) };
  const required = requiredTensors(config);
  refuseBias(adapter, new Set(required.map(({ name }) => name)));
  const base: Checkpoint = { ...checkpoint, ...quantised?.decoded?.() };
  const stored = (name: string): TensorInfo =>
    // The graph's tensors are there.
    (base.tensors.get(name) ?? base.tensors.get(embedding)) as TensorInfo;
  const tensors = new Map<string, TensorInfo>();
  for (const { name, shape } of required) {
    const { file, start, end } = stored(name);
    tensors.set(name, { name, encoding: "F32", shape, file, start, end, rowBytes: 4 * (shape.at(-1) ?? 0) });
  }
  async function* read(
    { name }: TensorInfo,
    options: ReadRowsOptions,
    from?: From,
  ): AsyncGenerator<TensorRows> {
    const change = changes.get(name);
    const finish = rowChange(change, biasOf(name, changes));
    for await (const part of baseRows(base, stored(name), change, options, from)) {
      const K = part.values.length / part.rows;
      for (let i = 0; i < part.rows; i++) {
        const row = Float64Array.from(part.values.subarray(i * K, (i + 1) * K));
        finish(row, part.row + i);
        part.values.set(row, i * K);
      }
      yield { row: part.row, rows: part.rows, bytes: new Uint8Array(part.values.buffer) };
    }
  }
  return {
    ...base,
    config,
    quantised: null,
    tensors,
    parameters: numbersIn(required),
    bytes: [...tensors.values()].reduce((sum, { start, end }) => sum + end - start, 0),
    readRows: read,
  };
}

/** Whether embedding and lm_head differ afterwards. Trained tokens change both. */
const unties = ({ changes }: Adapter): boolean =>
  changes.has(lmHead) || (changes.has(embedding) && !changes.get(embedding)?.tokens);

/** A bias can only be added to one that the model has. */
function refuseBias({ changes }: Adapter, names: ReadonlySet<string>): void {
  for (const [name, { matrix }] of changes) {
    if (!matrix?.bias || names.has(biasName(name))) continue;
    const advice = "Such an adapter (lora_bias) cannot be merged.";
    throw mismatch(biasName(name), "a bias of the model to add to", "none", advice);
  }
}

const biasName = (matrix: string): string => matrix.replace(/weight$/, "bias");

/** What is added to a bias of the model. */
function biasOf(name: string, changes: Adapter["changes"]): Row | undefined {
  const { bias, scale = 1 } =
    (name.endsWith(".bias") && changes.get(name.replace(/bias$/, "weight"))?.matrix) || {};
  return bias && Float64Array.from(bias, (value) => scale * value);
}

/** Rows of the model, or what replaces them, as f32. */
async function* baseRows(
  base: Checkpoint,
  tensor: TensorInfo,
  change: AdapterChange | undefined,
  { maxBytes, from = 0, to, signal }: ReadRowsOptions,
  source: From | undefined,
): AsyncGenerator<{ row: number; rows: number; values: Float32Array<ArrayBuffer> }> {
  const [total, K] = tensor.shape.length > 1 ? (tensor.shape as [number, number]) : [1, tensor.shape[0] ?? 0];
  const step = Math.max(1, Math.floor(maxBytes / (4 * K)));
  const { whole } = change ?? {};
  if (whole) {
    const rowBytes = whole.bytes.length / total;
    for (let row = from; row < (to ?? total); row += step) {
      signal?.throwIfAborted();
      const rows = Math.min(step, (to ?? total) - row);
      const bytes = whole.bytes.subarray(row * rowBytes, (row + rows) * rowBytes);
      yield { row, rows, values: toFloats(bytes, whole.encoding) };
    }
    return;
  }
  const rowBytes = tensor.rowBytes ?? (tensor.end - tensor.start) / total;
  const options = { from, ...(to !== undefined && { to }), maxBytes: step * rowBytes, signal };
  for await (const { row, rows, bytes } of base.readRows(tensor, options, source)) {
    const { own, encoding } = tensor;
    const floats = own ? own.decode(bytes, rows, K) : bytes;
    yield { row, rows, values: toFloats(floats, own ? "F32" : (encoding as "F32" | "F16" | "BF16")) };
  }
}

/** Changes a row in place. */
function rowChange(change: AdapterChange | undefined, bias: Row | undefined): (row: Row, n: number) => void {
  const { matrix, tokens, role } = change ?? {};
  if (bias)
    return (row) =>
      bias.forEach((value, i) => {
        row[i] = (row[i] as number) + value;
      });
  if (tokens) {
    const places = new Map(tokens.ids.map((id, i) => [id, i]));
    return (row, n) => {
      const i = places.get(n);
      if (i !== undefined) row.set(tokens.rows.subarray(i * row.length, (i + 1) * row.length));
    };
  }
  if (!matrix) return () => {};
  const { magnitude } = matrix;
  const add = role === "embedTokens" ? addToEmbedding(matrix) : addToMatrix(matrix);
  return (row, n) => {
    add(row, n);
    if (!magnitude) return;
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    // A row of zeros has no direction: it stays.
    const factor = length > 0 ? (magnitude[n] as number) / length : 0;
    for (let k = 0; k < row.length; k++) row[k] = (row[k] as number) * factor;
  };
}

function addToMatrix({ rank, scale, a, b }: AdapterMatrix): (row: Row, n: number) => void {
  return (row, n) => {
    for (let m = 0; m < rank; m++) addScaled(row, scale * (b[n * rank + m] as number), a, m * row.length);
  };
}

function addToEmbedding({ rank, scale, a, b }: AdapterMatrix): (row: Row, token: number) => void {
  const V = a.length / rank;
  const D = b.length / rank;
  // B, a row for each of the rank.
  const rows = Float32Array.from(b, (_, i) => b[(i % D) * rank + Math.floor(i / D)] as number);
  return (row, token) => {
    for (let m = 0; m < rank; m++) addScaled(row, scale * (a[m * V + token] as number), rows, m * D);
  };
}

/** row += factor · values[at …] */
function addScaled(row: Row, factor: number, values: Float32Array, at: number): void {
  for (let k = 0; k < row.length; k++) row[k] = (row[k] as number) + factor * (values[at + k] as number);
}
