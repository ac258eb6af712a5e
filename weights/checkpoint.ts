// A checkpoint, and what a reader of one kind of checkpoint provides.
import type { WeightFormatName } from "../kernels/formats/table.ts";
import type { ModelConfig } from "./config.ts";
import type { JsonObject } from "./json.ts";
import type { ReadRowsOptions, TensorRows } from "./rows.ts";
import type { Source } from "./source.ts";
import type { TensorInfo } from "./tensor-info.ts";

/** The format of each matrix, by the tensor's name. */
export type FormatOf = (tensor: string) => WeightFormatName;

/**
 * The order of a matrix's columns, by the tensor's name: column j of its rows as they are read is multiplied
 * by entry `columns[j]` of the input. undefined: in the order of the input. Equal orders are one array.
 */
export type ColumnsOf = (tensor: string) => Uint32Array | undefined;

/**
 * The order of a layer's feed-forward entries, if it is another than the original file's: row i of gate_proj
 * and up_proj as they are read, and column i of down_proj, is number `order[i]` of the file.
 */
export type HiddenOrderOf = (layer: number) => Uint32Array | undefined;

/** What a checkpoint is that holds quantised matrices. */
export interface Quantised {
  /** For messages: "packed as q4", "GPTQ with 4 bits, groups of 128", "Q4_K_M". */
  readonly name: string;
  /** The format of the most matrices. */
  readonly weights: WeightFormatName;
  /** The format that keeps what is stored of each matrix. */
  readonly formatOf: FormatOf;
  /** Default: all in the order of the input. */
  readonly columnsOf?: ColumnsOf;
  readonly hiddenOrderOf?: HiddenOrderOf;
  /** Whether the matrices can be loaded in other formats, too. */
  readonly convertible: boolean;
  /** Reads all quantised matrices as f32, with columns in the order of the input. Missing if it cannot. */
  readonly decoded?: () => ReadTensors;
}

/** What a checkpoint reads of its tensors. */
export type ReadTensors = Pick<Checkpoint, "tensors" | "bytes" | "readRows">;

export interface Checkpoint {
  readonly config: ModelConfig;
  readonly source: Source;
  /** "GGUF v3". Default: "safetensors". */
  readonly container?: string;
  /** By name, the tensors that the graph needs and no others, file by file in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Numbers of the model, whatever they are stored in. */
  readonly parameters: number;
  /** Bytes of `tensors` as stored. */
  readonly bytes: number;
  /** Whether the files say what ends an answer; otherwise `config.eosTokenIds` has the usual id. */
  readonly endsGiven: boolean;
  /**
   * What the checkpoint has probably lost, its attention window; or which matrices take more memory than they
   * need. Missing if nothing is known.
   */
  readonly warnings?: readonly string[];
  /** That window, in tokens. */
  readonly lostWindow?: number;
  /** null if the matrices are floats. */
  readonly quantised: Quantised | null;
  /**
   * The rows of a tensor in order, in the tensor's encoding.
   * @param source read instead of the checkpoint's own: a check of the file, for example
   * @throws CheckpointError if the source gives fewer or more bytes than asked for
   */
  readRows(
    tensor: TensorInfo,
    options: ReadRowsOptions,
    source?: Pick<Source, "name" | "read">,
  ): AsyncGenerator<TensorRows, void, void>;
  /**
   * config.json and the tokenizer's files by name, made from what the checkpoint says. Missing if the source
   * has these files.
   */
  companions?(): ReadonlyMap<string, JsonObject>;
  /** @returns undefined for a checkpoint without a tokenizer: it takes token ids only */
  vocabulary(signal?: AbortSignal): Promise<Vocabulary | undefined>;
}

/** The tokenizer of a checkpoint, in the form of Hugging Face's files. */
export interface Vocabulary {
  /** tokenizer.json */
  readonly tokenizer: JsonObject;
  /** tokenizer_config.json */
  readonly tokenizerConfig: JsonObject | undefined;
  /** special_tokens_map.json */
  readonly specialTokensMap: JsonObject | undefined;
  /** chat_template.jinja */
  readonly chatTemplate: string | undefined;
}

/** Reads one kind of checkpoint. */
export interface CheckpointReader {
  /** Whether `source` holds a checkpoint of this kind. */
  fits(source: Source, signal?: AbortSignal): Promise<boolean>;
  /** @throws CheckpointError naming file and tensor */
  open(source: Source, signal?: AbortSignal): Promise<Checkpoint>;
}
