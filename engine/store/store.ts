// A model in the browser's private file system: its small files, its packed weights, a lease on both.
import type { WeightFormatName } from "../../kernels/formats/table.ts";
import {
  CachedSource,
  type Checkpoint,
  formatsAs,
  PackedFile,
  packedBytes,
  type RandomAccess,
  type Source,
} from "../../weights/index.ts";
import type { LoadOptions } from "../api.ts";
import { StorageError } from "../errors.ts";
import { inUse, type Lease, takeLease } from "./lock.ts";
import { CACHE_FILE, folderName, modelName, storedFiles } from "./model-folders.ts";
import type { ModelStore } from "./model-store.ts";
import { canStore, modelsFolder, openFile, readWhole, writeWhole } from "./opfs.ts";
import { StoredWeights } from "./stored-weights.ts";

export class OpfsStore implements ModelStore {
  readonly name: string;
  readonly #origin: Source;
  readonly #models: FileSystemDirectoryHandle;
  readonly #lease: Lease;
  #source: CachedSource;
  #folder: FileSystemDirectoryHandle;

  private constructor(
    name: string,
    origin: Source,
    lease: Lease,
    models: FileSystemDirectoryHandle,
    opened: { source: CachedSource; folder: FileSystemDirectoryHandle },
  ) {
    this.name = name;
    this.#origin = origin;
    this.#lease = lease;
    this.#models = models;
    this.#source = opened.source;
    this.#folder = opened.folder;
  }

  /** @returns undefined if the model cannot or should not be stored @throws ModelInUseError, StorageError */
  static async open(origin: Source, options: LoadOptions): Promise<OpfsStore | undefined> {
    if (!origin.version || options.store === false) return undefined;
    const models = canStore() ? await modelsFolder() : undefined;
    if (!models) {
      if (options.store !== true) return undefined;
      throw new StorageError(
        "store: expected a dedicated worker of a browser with a private file system, got none. Use loadModelInWorker, or load with store: false.",
        { code: "no-storage" },
      );
    }
    const name = modelName(origin.name);
    const lease = await takeLease(name, options.takeOver ?? false);
    try {
      return new OpfsStore(name, origin, lease, models, await openFolder(models, name, origin));
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  /** A source that knows what is stored of it, for looking only: nothing is cached, nobody is cached out. */
  static async openReadOnly(origin: Source, { store }: LoadOptions): Promise<Source> {
    if (!origin.version || store === false) return origin;
    const models = await modelsFolder();
    return models ? (await openFolder(models, modelName(origin.name), origin)).source : origin;
  }

  /** Reads from the store, falling back to the original source. */
  get source(): CachedSource {
    return this.#source;
  }

  /** Aborted when another tab takes the model over. */
  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  /** Stores the small files, if there are new ones. Files read after this are not stored. */
  async saveSource(): Promise<void> {
    this.#source.freeze();
    if (this.#source.dirty) await this.#write();
  }

  async invalidate(file: string): Promise<void> {
    this.#source.invalidate(file);
    await this.#write();
  }

  async #write(): Promise<void> {
    const cached = await this.#source.encode();
    await this.#guard(
      () => cached.length,
      () => writeWhole(this.#folder, CACHE_FILE, cached),
    );
  }

  /**
   * Opens the packed weights, to read those that are stored and to store the others. The caller closes them.
   */
  async openWeights(checkpoint: Checkpoint, weights: WeightFormatName): Promise<StoredWeights> {
    const contents = { config: checkpoint.config, weights, formatOf: formatsAs(checkpoint, weights) };
    const files = storedFiles(weights);
    const identity = await this.#source.identity();
    const opened: RandomAccess[] = [];
    const open = async (name: string): Promise<RandomAccess> => {
      const file = await openFile(this.#folder, name);
      opened.push(file);
      return file;
    };
    try {
      return await this.#guard(
        () => packedBytes(contents) - (opened[0]?.size() ?? 0),
        async () => {
          await writeWhole(this.#folder, files.used, new TextEncoder().encode(`${Date.now()}`));
          const file = await PackedFile.open(await open(files.weights), await open(files.journal), {
            ...contents,
            identity,
          });
          return new StoredWeights(file, (write) => this.#guard(() => file.missingBytes, write));
        },
      );
    } catch (error) {
      for (const file of opened) file.close();
      throw error;
    }
  }

  /** Deletes what is stored: the model at the source has changed. */
  async clear(): Promise<void> {
    await this.#models.removeEntry(await folderName(this.name), { recursive: true });
    const { source, folder } = await openFolder(this.#models, this.name, this.#origin);
    this.#source = source;
    this.#folder = folder;
  }

  release(): void {
    this.#lease.release();
  }

  /** Turns errors of the file system into errors that say what to do. */
  async #guard<T>(missingBytes: () => number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      if (error.name === "NoModificationAllowedError") throw inUse(this.name, { cause: error });
      if (error.name === "QuotaExceededError") throw await full(this.name, missingBytes(), error);
      throw error;
    }
  }
}

async function openFolder(models: FileSystemDirectoryHandle, name: string, origin: Source) {
  const folder = await models.getDirectoryHandle(await folderName(name), { create: true });
  return { folder, source: await CachedSource.open(origin, await readWhole(folder, CACHE_FILE)) };
}

/** The browser's estimate may be far off: it is used for the message only, not to refuse in advance. */
async function full(name: string, needed: number, cause: DOMException): Promise<StorageError> {
  const { quota = 0, usage = 0 } = (await navigator.storage.estimate?.().catch(() => undefined)) ?? {};
  const free = Math.max(0, quota - usage);
  const missingBytes = free < needed ? needed - free : needed;
  return new StorageError(
    `${name}: expected room for ${needed} more bytes in this browser, got ${missingBytes} too few. Delete stored models or free some of the disk, or load with store: false.`,
    { code: "quota", cause, missingBytes },
  );
}
