// What a checkpoint is, from its headers and small files. Node only.
import { type WeightFormatName, weightFormatNames } from "../../kernels/formats/table.ts";
import { Tokenizer } from "../../tokenizer/index.ts";
import {
  type Checkpoint,
  companionFiles,
  formatsAs,
  type GgufFile,
  ggufFiles,
  type ModelConfig,
  openCheckpoint,
  otherVocabularies,
  type Source,
  type Vocabulary,
} from "../../weights/node.ts";
import { modelLayout } from "../graph/layout.ts";
import { bytesOf, storedFormat } from "./plan.ts";

/** A file and its size. */
export interface DescribedFile {
  /** Its name. */
  readonly file: string;
  /** Its size in bytes; of all parts, if it is split. */
  readonly bytes: number;
}

/** Result of `describeModel`. */
export interface ModelDescription {
  /** The folder, the address, or owner/name@revision. */
  readonly name: string;
  /** "GGUF v3, Q4_K_M"; "safetensors, GPTQ with 4 bits, groups of 128, act-order"; "safetensors, bf16". */
  readonly format: string;
  /** Sizes of the model, its window and context. */
  readonly config: ModelConfig;
  /** Numbers in the weights. */
  readonly parameters: number;
  /** null: the model takes token ids only. */
  readonly tokenizer: {
    /** "BPE with byte fallback", "byte-level BPE". */
    readonly kind: string;
    /** Tokens, added ones included. */
    readonly tokens: number;
    /** The file that has it. */
    readonly file: string;
  } | null;
  /** null: there is none. */
  readonly chatTemplate: {
    /** The file that has it. */
    readonly file: string;
    /** Of a list of templates, their names. */
    readonly names?: readonly string[];
  } | null;
  /** The files that are read: weights first. */
  readonly files: readonly DescribedFile[];
  /** Their bytes. */
  readonly fileBytes: number;
  /** The other GGUF files of the same folder or repository. */
  readonly otherFiles: readonly DescribedFile[];
  /** The format that keeps what is stored. If each matrix has its own, the one of the most matrices. */
  readonly stored: WeightFormatName;
  /** Bytes of the weights on the GPU in each format that they can be loaded in. */
  readonly residentBytes: Readonly<Partial<Record<WeightFormatName, number>>>;
  /** What the checkpoint may have lost, and what cannot be used. */
  readonly warnings: readonly string[];
}

/** Larger than any part of a matrix: sizes do not depend on an adapter. */
const NO_LIMIT = 2 ** 40;

/** @throws CheckpointError naming file and tensor */
export async function describe(source: Source, signal?: AbortSignal): Promise<ModelDescription> {
  const checkpoint = await openCheckpoint(source, signal);
  const { config, parameters, quantised, container = "safetensors", warnings = [] } = checkpoint;
  const stored = quantised?.weights ?? storedFormat(checkpoint);
  const files = await filesOf(checkpoint, signal);
  return {
    name: source.name,
    format: `${container}, ${quantised?.name ?? stored}`,
    ...{ config, parameters },
    ...(await describeText(checkpoint, files, [...warnings], signal)),
    files,
    fileBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    otherFiles: await otherFiles(source, files, signal),
    stored,
    residentBytes: residentBytes(checkpoint, stored),
  };
}

async function filesOf(checkpoint: Checkpoint, signal?: AbortSignal): Promise<DescribedFile[]> {
  const { source, tensors, companions } = checkpoint;
  const weights = [...tensors.values()].map(({ file }) => file);
  const beside = companions ? [] : [...companionFiles, await vocabularyFile(source, signal)];
  const sized = [...new Set([...weights, ...beside])].map(async (file) => ({
    file,
    bytes: await source.size(file, signal),
  }));
  return (await Promise.all(sized)).filter((each): each is DescribedFile => each.bytes !== undefined);
}

async function otherFiles(
  source: Source,
  files: readonly DescribedFile[],
  signal?: AbortSignal,
): Promise<GgufFile[]> {
  const all = await ggufFiles(source, signal);
  return all.filter(({ file }) => !files.some((each) => each.file === file));
}

/** Tokenizer and chat template. @param warnings of the checkpoint; what cannot be used is added */
async function describeText(
  { companions, source, vocabulary }: Checkpoint,
  [first]: readonly DescribedFile[],
  warnings: string[],
  signal?: AbortSignal,
): Promise<Pick<ModelDescription, "tokenizer" | "chatTemplate" | "warnings">> {
  const none = { tokenizer: null, chatTemplate: null, warnings };
  let found: Vocabulary | undefined;
  try {
    found = await vocabulary(signal);
    if (found) Tokenizer.from(found);
  } catch (error) {
    signal?.throwIfAborted();
    warnings.push((error as Error).message);
  }
  if (!found) return none;
  const inside = companions ? first?.file : undefined;
  const { tokenizer, tokenizerConfig, chatTemplate } = found;
  const [model, added] = [tokenizer["model"], tokenizer["added_tokens"]] as [
    { type?: unknown; byte_fallback?: unknown; vocab?: object } | undefined,
    { id?: unknown }[] | undefined,
  ];
  const size = Object.keys(model?.vocab ?? {}).length;
  const ids = Array.isArray(added) ? added.map(({ id }) => Number(id)) : [];
  const text = JSON.stringify([tokenizer["pre_tokenizer"], tokenizer["decoder"]]);
  const name = typeof model?.type === "string" ? model.type : "BPE";
  const kind = text.includes('"ByteLevel"')
    ? `byte-level ${name}`
    : `${name}${model?.byte_fallback === true ? " with byte fallback" : ""}`;
  const inConfig = tokenizerConfig?.["chat_template"];
  const names = Array.isArray(inConfig) ? inConfig.map((each) => String(Object(each).name)) : undefined;
  const template = chatTemplate ? "chat_template.jinja" : inConfig ? "tokenizer_config.json" : undefined;
  return {
    ...none,
    tokenizer: {
      kind,
      tokens: size + new Set(ids.filter((id) => id >= size)).size,
      file: inside ?? (await vocabularyFile(source, signal)),
    },
    chatTemplate: template ? { file: inside ?? template, ...(names && !chatTemplate && { names }) } : null,
  };
}

/** The file that the tokenizer was read from. */
async function vocabularyFile(source: Source, signal?: AbortSignal): Promise<string> {
  for (const file of ["tokenizer.json", ...otherVocabularies])
    if ((await source.size(file, signal)) !== undefined) return file;
  return "tokenizer.json";
}

function residentBytes(
  checkpoint: Checkpoint,
  stored: WeightFormatName,
): Partial<Record<WeightFormatName, number>> {
  const { config, quantised } = checkpoint;
  const formats = !quantised || quantised.convertible ? weightFormatNames : [stored];
  return Object.fromEntries(
    formats.map((format) => {
      const layout = modelLayout(config, formatsAs(checkpoint, format), NO_LIMIT, quantised?.columnsOf);
      return [format, bytesOf(layout)];
    }),
  );
}
