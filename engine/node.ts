/**
 * Loads and runs models of Mistral's family on WebGPU.
 *
 * These are the names of the package in Node. In a browser it has the same, without `folderSource`,
 * `describeModel`, `quantizeModel`, `mergeModel` and `listAdapters`; `hubSource` returns the source itself
 * there, and takes `headers`.
 *
 * @module sirocco
 */

// Node's entry point: the names of index.ts on Dawn and the file system, and what only Node has.
import { fileURLToPath } from "node:url";
import { folderSource, openNodeHash, type Source } from "../weights/node.ts";
import type { AdapterDescription, LoadOptions, Model, Plan, Tuning } from "./api.ts";
import * as load from "./load.ts";
import { namedSource } from "./named-source.ts";
import { listNodeAdapters, openNodeDevice } from "./node-device.ts";
import type { Platform } from "./platform.ts";
import { describe, type ModelDescription } from "./resident/describe.ts";
import { type Merged, type MergeOptions, merge } from "./resident/merge.ts";
import { type Quantized, type QuantizeOptions, quantize } from "./resident/quantize.ts";
import { tuningFiles } from "./tuning/files.ts";

export {
  folderSource,
  type HubEnvironment,
  type HubProgress,
  type HubSourceOptions,
  hubSource,
} from "../weights/node.ts";
export * from "./common.ts";
export type { DescribedFile, ModelDescription } from "./resident/describe.ts";
export type { Merged, MergeOptions } from "./resident/merge.ts";
export type { Quantized, QuantizeOptions } from "./resident/quantize.ts";

const node: Platform = {
  tuning: tuningFiles,
  openFileHash: openNodeHash,
  openDevice: openNodeDevice,
  openSource: (spec, options) =>
    spec === undefined
      ? folderSource(fileURLToPath(new URL("../weights/tiny-mistral/", import.meta.url)))
      : namedSource(spec, options),
};

/**
 * Loads a model onto the GPU, or into the CPU's memory where there is none. If it fails, nothing stays there.
 *
 * @param source a folder or GGUF file (Node), an address that holds the files or of a GGUF file, a repository
 * of the Hugging Face Hub as `owner/name`, `owner/name@revision` or `owner/name/file.gguf`, the address of
 * its page, or a `Source`. Default: the tiny model that comes with the package.
 * @throws CheckpointError if files are missing, damaged, or of a model that is not supported
 * @throws NetworkError if the network fails at every try
 * @throws TokenizerError if tokenizer.json cannot be used
 * @throws DeviceError if there is no adapter of the wanted name, or the model does not fit it
 * @throws TypeError, RangeError if an option is unknown, of the wrong type, or out of range; `parameter` is
 * its name
 *
 * @example
 * ```ts
 * import { loadModel } from "sirocco";
 *
 * const model = await loadModel(); // or: loadModel("mistralai/Mistral-7B-Instruct-v0.3", { weights: "q4" })
 * for await (const { text } of model.generate("Once upon a time", { maxTokens: 20 })) {
 *   process.stdout.write(text);
 * }
 * model.dispose();
 * ```
 */
export const loadModel = (source?: string | Source, options: LoadOptions = {}): Promise<Model> =>
  load.loadModel(node, source, options);

/**
 * Bytes that a model would need on this adapter, from its config and headers only.
 *
 * @param source as for `loadModel`
 * @throws the errors of `loadModel`
 *
 * @example
 * ```ts
 * import { planModel } from "sirocco";
 *
 * const { weights, cache, totalBytes } = await planModel(undefined, { weights: "q4", contextLength: 256 });
 * console.log(weights, cache); // q4 f32
 * console.log(totalBytes < 2 ** 27); // true
 * ```
 */
export const planModel = (source?: string | Source, options: LoadOptions = {}): Promise<Plan> =>
  load.planModel(node, source, options);

/**
 * What a checkpoint is: its format, sizes, tokenizer, files. Reads headers and small files only, and opens no
 * device. Node only.
 *
 * @param source as for `loadModel`
 * @throws CheckpointError, NetworkError as `loadModel`
 *
 * @example
 * ```ts
 * import { describeModel } from "sirocco";
 *
 * const { format, config, tokenizer } = await describeModel();
 * console.log(format, config.L, tokenizer?.kind); // safetensors, bf16 6 BPE with byte fallback
 * ```
 */
export const describeModel = async (
  source?: string | Source,
  options: Pick<LoadOptions, "signal" | "token"> = {},
): Promise<ModelDescription> =>
  describe(typeof source === "object" ? source : await node.openSource(source, options), options.signal);

/**
 * Measures which kernels are fastest on a model's shapes, and remembers the choice for loading. No weight is
 * read.
 *
 * @param source as for `loadModel`
 * @throws the errors of `loadModel`
 */
export const tuneModel = (source?: string | Source, options: LoadOptions = {}): Promise<Tuning> =>
  load.tuneModel(node, source, options);

/**
 * Writes a smaller checkpoint, packed as it is on the GPU: it loads without quantising, and gives the same
 * logits. Of a quantised checkpoint, without `weights`, every matrix keeps its codes. Node only.
 *
 * @param source as for `loadModel`
 * @throws CheckpointError if the checkpoint is packed already, or if 4-bit codes would be rounded to 4 bits
 * again, and the errors of `loadModel`
 * @throws Error if the folder `out` is not empty
 */
export const quantizeModel = (
  source: string | Source | undefined,
  options: QuantizeOptions,
): Promise<Quantized> => quantize(node, source, options);

/**
 * Merges a LoRA adapter into its base model, and writes a checkpoint in bf16 that any program loads. Opens no
 * device. A quantised base is dequantised. Node only.
 *
 * @param source of the base, as for `loadModel`
 * @throws CheckpointError if the adapter does not fit the base or uses what is not supported, and the errors
 * of `loadModel`
 * @throws RangeError if the folder `out` holds files, unless `force` is set
 */
export const mergeModel = (source: string | Source | undefined, options: MergeOptions): Promise<Merged> =>
  merge(node, source, options);

/**
 * The adapters of this machine, and the CPU at the end; `name` is what the option `adapter` matches. Without
 * the npm package `webgpu`, the CPU alone. Node only.
 */
export const listAdapters = (): Promise<AdapterDescription[]> => listNodeAdapters();
