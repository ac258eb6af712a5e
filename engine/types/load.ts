// Options of the calls that load, plan and tune, and what they report on the way.
import type { CacheFormatName, WeightFormatName } from "../../kernels/index.ts";
import type { Source } from "../../weights/source.ts";
import type { KernelOptions } from "./kernels.ts";

/**
 * Where the files of an adapter are: a folder, an address or a repository of the Hub as for `loadModel`, a
 * `Source`, or files that were picked.
 */
export type AdapterSource = string | Source | readonly File[];

/** Options of `Model.addAdapter`. */
export interface AddAdapterOptions {
  /** Access token of the Hugging Face Hub. Default: as for `loadModel`. */
  readonly token?: string;
  /** Cancels reading. The promise then rejects with the signal's reason. Default: none. */
  readonly signal?: AbortSignal;
}

/**
 * One report on the progress of loading. The stages follow each other in the order of `stage`; the first two
 * are often skipped.
 */
export interface Progress {
  /**
   * `download`: files of a Hub repository go into the cache on disk (Node only). `tune`: kernels are measured
   * on this adapter. `load`: tensors are read and put on the GPU.
   */
  readonly stage: "download" | "tune" | "load";
  /** The file (`download`), the kernel (`tune`) or the tensor (`load`) in work. */
  readonly name: string;
  /** How much of `total` is done. */
  readonly loaded: number;
  /** Bytes as stored (`download`, `load`), or variants to measure (`tune`). */
  readonly total: number;
}

/**
 * Options of `loadModel`, `planModel` and `tuneModel`.
 *
 * An unknown option and a value of the wrong type are a `TypeError`, a value out of range is a `RangeError`.
 * Both have the option's name in their property `parameter`.
 */
export interface LoadOptions {
  /**
   * Format of the weights on the GPU. `auto` keeps the stored format if the whole model fits in 6 GiB with
   * it, else takes q8, else q4. Default `auto`.
   */
  readonly weights?: "auto" | WeightFormatName;
  /**
   * Format of the keys and values of earlier tokens. `auto`: f32 if they take at most 512 MiB in all layers,
   * else f16, or q8 if f16 does not fit. Default `auto`.
   */
  readonly cache?: "auto" | CacheFormatName;
  /**
   * Maximum number of tokens of a prompt and its answer together, ≥ 1. Default: 16,777,216 for a model with
   * an attention window, whose cache does not grow; otherwise 4096, or what the model was trained for if that
   * is less.
   */
  readonly contextLength?: number;
  /**
   * Attention window in tokens, ≥ 1: each token sees this many, itself included. For a checkpoint that has
   * lost its window, as GGUF files of Mistral 7B v0.1 have (4096). Default: the checkpoint's.
   */
  readonly window?: number;
  /**
   * Called while loading, and again if a lost GPU device is replaced later: the weights are then loaded once
   * more. Default: none.
   */
  readonly onProgress?: (progress: Progress) => void;
  /** Cancels loading. The promise then rejects with the signal's reason. Default: none. */
  readonly signal?: AbortSignal;
  /**
   * Access token of the Hugging Face Hub, for private and gated repositories. Default: none in a browser; in
   * Node `HF_TOKEN`, or the token that `hf auth login` left.
   */
  readonly token?: string;
  /**
   * What computes: "cpu"; "webgpu", even if its adapter is a software driver; or part of the name of an
   * adapter, as `listAdapters` gives it (Node only). Default: a hardware GPU, or else the CPU. In Node the
   * variable SIROCCO_ADAPTER takes the place of the default.
   */
  readonly adapter?: string;
  /**
   * Threads of the device that computes on the CPU, 0 … 128. Default: SIROCCO_THREADS (Node only), or as many
   * as there are physical cores less one, and at least one; in a browser half the logical processors, or one
   * where the page is not cross-origin isolated. 0: the caller's own thread, which stands still
   * while it computes.
   */
  readonly threads?: number;
  /**
   * Switches off the checks that keep shaders inside their buffers (Node only). Faster on some GPUs; a bug in
   * a shader could then read or write other GPU memory. Default false.
   */
  readonly unsafeFast?: boolean;
  /**
   * A device to use instead of opening one. `dispose()` does not destroy it. If it is lost, the model is
   * lost, too: the next call is a `DeviceLostError`. Default: a device of its own.
   */
  readonly device?: GPUDevice;
  /**
   * Answers that run at once, 1 … 1024. They share every pass over the weights; each has its own ring of keys
   * and values. Further calls wait in line. Default 2, or 1 if a second ring takes the model over 6 GiB or
   * cannot be bound.
   */
  readonly parallel?: number;
  /**
   * Rings of keys and values, `parallel` … 1024. Rings beyond `parallel` keep conversations that have ended,
   * so that their next turn, or another prompt with the same beginning, is not computed from the start.
   * Default: `parallel`.
   */
  readonly rings?: number;
  /**
   * For tests: treats the adapter as if it could bind only this many bytes at once, ≥ 1. Larger matrices are
   * split by rows. Default: what the adapter can bind.
   */
  readonly maxBindingBytes?: number;
  /**
   * Maximum number of tokens of a prefill pass, ≥ 1. Default 512 on a GPU, 128 on a software driver, fewer if
   * their buffers cannot be bound.
   */
  readonly chunkLength?: number;
  /**
   * Measures which kernels are fastest on this adapter when a model of these shapes is first loaded. Starts
   * no measurement after 5 s on a GPU, 60 s on a software driver. The choice is remembered; one that
   * `tuneModel` has made is taken at any size, unless this is false. Default: true for weights of 64 MiB or
   * more, unless `device` is given.
   */
  readonly tune?: boolean;
  /** For measurements: variants of the kernels to use. Default: what is remembered or measured. */
  readonly kernels?: KernelOptions;
  /**
   * Stores the weights of a checkpoint that is loaded over HTTP in the origin's private file system, packed
   * as they are on the GPU, and loads them from there next time. Default: true in a dedicated worker of a
   * browser, false elsewhere.
   */
  readonly store?: boolean;
  /**
   * Takes a stored model from the tab that has it loaded. The next call there is a `ModelInUseError`. Default
   * false.
   */
  readonly takeOver?: boolean;
  /** LoRA adapters to load, by the names to call them by: see `Model.addAdapter`. Default: none. */
  readonly adapters?: Readonly<Record<string, AdapterSource>>;
}

/** A checkpoint in the origin's private file system, complete or in part. */
export interface StoredModel {
  /**
   * The source to load it by: `owner/name`, `owner/name@revision`, each also with `/file.gguf`, or its
   * address.
   */
  readonly name: string;
  /** Format in which the weights are stored. */
  readonly weights: WeightFormatName;
  /** Bytes of the weights that are stored. */
  readonly bytes: number;
  /** Bytes of all weights of the model in this format. */
  readonly totalBytes: number;
  /** True if it loads without the network; otherwise loading fetches what is missing. */
  readonly complete: boolean;
  /** When it was last loaded. */
  readonly lastUsed: Date;
}
