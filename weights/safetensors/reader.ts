// Opens a checkpoint of Hugging Face: config.json and safetensors. All headers are checked before a tensor is
// read.

import type { WeightFormatName } from "../../kernels/formats/table.ts";
import type { Checkpoint, CheckpointReader, Vocabulary } from "../checkpoint.ts";
import { type ModelConfig, parseConfig } from "../config.ts";
import { CheckpointError, mismatch } from "../errors.ts";
import { isObject, own } from "../json.ts";
import { readJson, readText } from "../read-file.ts";
import { readRows } from "../rows.ts";
import type { Source } from "../source.ts";
import { type Checked, checkTensor, FLOATS, numbersIn, refuseBias, refuseUnknown } from "./check-tensors.ts";
import type { DType } from "./header.ts";
import { requiredTensors, tensorName } from "./names.ts";
import {
  formatsOf,
  packedAs,
  packedEncoding,
  packedName,
  packedTensors,
  parsePacked,
  unpackedName,
} from "./packed.ts";
import { type Demand, readShards, type Shards } from "./shards.ts";

const lmHead = tensorName("lmHead");

export const safetensorsReader: CheckpointReader = {
  fits: async () => true,
  open,
};

async function open(source: Source, signal?: AbortSignal): Promise<Checkpoint> {
  const json = await readJson(source, "config.json", signal);
  if (!json) {
    const advice = "Name a folder or repository that holds config.json and .safetensors files.";
    const { missingFile } = await import("../missing-file.ts");
    throw await missingFile(source, "config.json", advice, signal);
  }
  const generation = await readJson(source, "generation_config.json", signal);
  const config = await parseConfig(json, "config.json", generation);
  const names = new Set([...requiredTensors(config).map(({ name }) => name), lmHead]);
  const text = own(json, "text_config");
  const wrapped = isObject(text);
  // Others have the tensors of the table.
  const layout =
    wrapped || config.architecture === "Phi3ForCausalLM"
      ? (await import("./file-layouts.ts")).fileLayout(config, wrapped)
      : undefined;
  const demand: Demand<Checked> = {
    needs: (name) =>
      (layout?.namesIn(name) ?? [name]).some((each) =>
        names.has(unpackedName(each).replace(/\w+$/, "weight")),
      ),
    async check(files) {
      const shards = layout?.unfold(files) ?? files;
      const lost = await lostBefore(shards, config, source);
      try {
        return { ...checkTensors(source, config, shards), ...lost };
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error;
        // Not the tensors of ordinary weights. Pages without quantised checkpoints never fetch this.
        const { checkQuantised } = await import("./quantised/quantised-checkpoint.ts");
        return { ...(await checkQuantised({ source, json, config, shards, signal }, error)), ...lost };
      }
    },
  };
  const endsGiven = [json, text, generation].some(
    (each) => isObject(each) && own(each, "eos_token_id") !== undefined,
  );
  const checked = await readShards(source, demand, signal);
  return { ...checked, source, endsGiven, vocabulary: (signal) => readVocabulary(source, signal) };
}

/** The window that a packed checkpoint had lost before it was packed. */
async function lostBefore({ metadata }: Shards, { W }: ModelConfig, { name }: Source) {
  const [[file, { format, lost_window }] = ["", {}]] = metadata;
  if (format !== "sirocco" || lost_window === undefined || W !== null) return undefined;
  return (await import("./packed-window.ts")).packedLostWindow(lost_window, file, name);
}

/**
 * The tokenizer in the files beside the weights.
 * @throws CheckpointError if a file is not UTF-8, or not JSON
 */
async function readVocabulary(source: Source, signal?: AbortSignal): Promise<Vocabulary | undefined> {
  const tokenizer = await readJson(source, "tokenizer.json", signal);
  const tokenizerConfig = await readJson(source, "tokenizer_config.json", signal);
  const read = tokenizer
    ? { tokenizer, tokenizerConfig }
    : await (await import("../vocabulary/other-vocabulary.ts")).otherVocabulary(
        source,
        tokenizerConfig,
        signal,
      );
  if (!read) return undefined;
  return {
    ...read,
    specialTokensMap: await readJson(source, "special_tokens_map.json", signal),
    chatTemplate: await readText(source, "chat_template.jinja", signal),
  };
}

function checkTensors(source: Source, declared: ModelConfig, shards: Shards): Checked {
  const packed = agreedLayout(shards);
  // A stored lm_head is used, whatever config.json says of tied embeddings. (If it equals the embedding, it
  // only takes memory.)
  const head = shards.tensors.has(packed ? packedName(lmHead) : lmHead);
  const config = head ? { ...declared, tied: false } : declared;
  const required = requiredTensors(config);
  const formatOf = formatsOf(packed ?? "f32", config);
  const stored: readonly { name: string; shape: readonly number[]; dtype?: DType }[] = packed
    ? packedTensors(config, formatOf)
    : required;
  const wanted = new Set(stored.map(({ name }) => name));
  const others = [...shards.tensors.values()].filter(({ name }) => !wanted.has(name));
  for (const tensor of others) refuseBias(tensor);
  let bytes = 0;
  for (const { name, shape, dtype } of stored) {
    const tensor = checkTensor(shards, name, shape, dtype === "U32" ? ["U32"] : FLOATS);
    bytes += tensor.end - tensor.start;
  }
  for (const tensor of others) refuseUnknown(tensor, config);
  const tensors = new Map(
    [...shards.tensors]
      .filter(([name]) => wanted.has(name))
      .map(([name, { dtype, ...tensor }]) => [
        name,
        { ...tensor, encoding: dtype === "U32" ? packedEncoding(name, formatOf) : dtype },
      ]),
  );
  return {
    config,
    tensors,
    parameters: numbersIn(required),
    bytes,
    quantised: packed && packedAs(packed, config),
    readRows: (tensor, options, from = source) => readRows({ source: from, tensors }, tensor, options),
  };
}

/** The format that all files are packed in; null: none is packed. */
function agreedLayout({ metadata }: Shards): WeightFormatName | null {
  let first: { file: string; packed: WeightFormatName | null } | undefined;
  for (const [file, values] of metadata) {
    const packed = parsePacked(values, file);
    first ??= { file, packed };
    if (packed !== first.packed) {
      const expected = `weights ${first.packed ?? "as published"}, as in ${first.file}`;
      const advice = "The shards come from different checkpoints: keep each in its own folder.";
      throw mismatch(`${file}: __metadata__`, expected, packed ?? "weights as published", advice);
    }
  }
  return first?.packed ?? null;
}
