// A kind of checkpoint that only tests know: one file with config, tokenizer and tensors under names of its
// own, the rows of each tensor from the last to the first. It stands for what other containers do otherwise
// than safetensors.
import type { Checkpoint, CheckpointReader, Vocabulary } from "../../weights/checkpoint.ts";
import { parseConfig } from "../../weights/config.ts";
import type { JsonObject } from "../../weights/json.ts";
import type { ReadRowsOptions } from "../../weights/rows.ts";
import { requiredTensors } from "../../weights/safetensors/names.ts";
import type { Source } from "../../weights/source.ts";
import type { TensorInfo } from "../../weights/tensor-info.ts";
import { type TensorNames, tensorsOf } from "../../weights/tensors.ts";

const FILE = "model.crate";
const names: TensorNames = {
  ...{ embedTokens: "tok", finalNorm: "end.norm", lmHead: "end.out" },
  ...{ inputNorm: "b{}.n1", qProj: "b{}.q", kProj: "b{}.k", vProj: "b{}.v", oProj: "b{}.o" },
  ...{ postAttentionNorm: "b{}.n2", gateProj: "b{}.g", upProj: "b{}.u", downProj: "b{}.d" },
  ...{ qBias: "b{}.qb", kBias: "b{}.kb", vBias: "b{}.vb", qNorm: "b{}.qn", kNorm: "b{}.kn" },
};

interface Header {
  readonly config: JsonObject;
  readonly vocabulary: Vocabulary | null;
  readonly tensors: Readonly<Record<string, { readonly encoding: string; readonly bytes: number }>>;
}

/** A tensor to be put into a crate; `bytes` are its rows in order. */
export interface Crated {
  readonly encoding: string;
  readonly bytes: Uint8Array;
}

/** @param tensors by the engine's names */
export async function crateSource(
  config: JsonObject,
  vocabulary: Vocabulary | null,
  tensors: ReadonlyMap<string, Crated>,
): Promise<Source> {
  const parsed = await parseConfig(config);
  const own = tensorsOf(parsed, names);
  const stored = requiredTensors(parsed).map(({ name, shape }, i) => {
    const { encoding, bytes } = tensors.get(name)!;
    return { name: own[i]!.name, encoding, bytes: reversed(bytes, shape.length > 1 ? shape[0]! : 1) };
  });
  const header: Header = {
    ...{ config, vocabulary },
    tensors: Object.fromEntries(
      stored.map(({ name, encoding, bytes }) => [name, { encoding, bytes: bytes.length }]),
    ),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const parts = [
    new Uint8Array(new Uint32Array([text.length]).buffer),
    text,
    ...stored.map(({ bytes }) => bytes),
  ];
  const file = new Uint8Array(Buffer.concat(parts));
  return {
    name: "a crate",
    size: async (name) => (name === FILE ? file.length : undefined),
    read: async (_, start = 0, end = file.length) => file.slice(start, end),
  };
}

function reversed(bytes: Uint8Array, rows: number): Uint8Array<ArrayBuffer> {
  const width = bytes.length / rows;
  const turned = new Uint8Array(bytes.length);
  for (let row = 0; row < rows; row++)
    turned.set(bytes.subarray(row * width, (row + 1) * width), (rows - 1 - row) * width);
  return turned;
}

export const crateReader: CheckpointReader = {
  fits: async (source) => (await source.size(FILE)) !== undefined,
  async open(source): Promise<Checkpoint> {
    const [length = 0] = new Uint32Array((await source.read(FILE, 0, 4)).buffer);
    const text = new TextDecoder().decode(await source.read(FILE, 4, 4 + length));
    const header: Header = JSON.parse(text);
    const config = await parseConfig(header.config);
    const own = tensorsOf(config, names);
    let at = 4 + length;
    const tensors = requiredTensors(config).map(({ name, shape }, i): TensorInfo => {
      const { encoding, bytes } = header.tensors[own[i]!.name]!;
      at += bytes;
      return { name, shape, encoding, file: FILE, start: at - bytes, end: at };
    });
    return {
      ...{ config, source, endsGiven: true, quantised: null },
      tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
      parameters: tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0),
      bytes: tensors.reduce((sum, { start, end }) => sum + end - start, 0),
      readRows: (tensor, options, from = source) => rowsOf(from, tensor, options),
      vocabulary: async () => header.vocabulary ?? undefined,
    };
  },
};

async function* rowsOf(
  source: Pick<Source, "read">,
  { file, shape, start, end }: TensorInfo,
  { from = 0, to, maxBytes }: ReadRowsOptions,
) {
  const total = shape.length > 1 ? shape[0]! : 1;
  const width = (end - start) / total;
  const step = Math.max(1, Math.floor(maxBytes / width));
  for (let row = from; row < (to ?? total); row += step) {
    const rows = Math.min(step, (to ?? total) - row);
    const first = start + (total - row - rows) * width;
    yield { row, rows, bytes: reversed(await source.read(file, first, first + rows * width), rows) };
  }
}
