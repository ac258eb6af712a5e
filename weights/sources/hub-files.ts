// The files of one commit of a Hub repository, downloaded to the cache on demand (Node only).
import { join } from "node:path";
import { adapterFiles } from "../adapters/names.ts";
import { companionFiles } from "../companions.ts";
import { label, mismatch } from "../errors.ts";
import { encodePath, isGguf } from "../named-file.ts";
import { readJson } from "../read-file.ts";
import { INDEX_FILE, isLooseShard, isShardName, SINGLE_FILE } from "../safetensors/names.ts";
import { configurationFiles } from "../safetensors/quantised/configuration-files.ts";
import { parseIndex } from "../safetensors/shards.ts";
import type { Source } from "../source.ts";
import { otherVocabularies } from "../vocabulary/names.ts";
import { fetchRange } from "./fetch-range.ts";
import { folderSource } from "./folder.ts";
import type { HttpOptions } from "./http.ts";
import { type Environment, fileSize, isCommit, type RepositoryCache } from "./hub-cache.ts";
import { downloadVerified, type HubFile } from "./hub-download.ts";
import type { HubListing } from "./hub-listing.ts";
import type { Repository } from "./hub-repository.ts";

/** How much of the weights is on disk. Small files are not counted. */
export interface HubProgress {
  /** The file that is being fetched. */
  readonly file: string;
  /** Bytes of all weight files on disk. */
  readonly loaded: number;
  /** Bytes of all weight files. */
  readonly total: number;
}

/** Options of `hubSource` in Node. */
export interface HubSourceOptions extends Omit<HttpOptions, "headers"> {
  /** Called while weights are fetched to the cache. Default: none. */
  readonly onProgress?: ((progress: HubProgress) => void) | undefined;
  /** Cancels the calls of `hubSource`, and fetching. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Access token, for private and gated repositories. Default: `HF_TOKEN`, or the token that `hf auth login`
   * left.
   */
  readonly token?: string | undefined;
  /** Where `HF_TOKEN`, `HF_ENDPOINT`, `HF_HOME` and others are looked up. Default: `process.env`. */
  readonly env?: Environment;
}

interface HubState {
  readonly name: string;
  readonly repository: Repository;
  readonly cache: RepositoryCache;
  readonly listing: HubListing;
  readonly commit: string;
  readonly http: HttpOptions;
  readonly options: HubSourceOptions;
}

/** Bytes of a small tensor that a plan needs: the divisors of RoPE. */
const MAX_EARLY_BYTES = 1024;
const partStem = (name: string): string | undefined => /^(.*)-\d{5}-of-\d{5}\.gguf$/i.exec(name)?.[1];
const ADVICE = "Choose another repository or revision.";

/** A source of the files of one commit: those on disk, and those to be downloaded. */
export class HubFiles implements Source {
  readonly name: string;
  readonly file: string | undefined;
  readonly #state: HubState;
  readonly #folder: Source;
  readonly #files = new Map<string, HubFile>();
  readonly #local = new Set<string>();
  readonly #downloads = new Map<string, Promise<void>>();
  // Header bytes that were returned before their file was downloaded and verified.
  readonly #early = new Map<string, { start: number; bytes: Uint8Array }[]>();
  readonly #headerEnd = new Map<string, number>();
  #names: Promise<readonly string[]> | undefined;
  /** The weights that are read: shards, or the parts of a GGUF file. */
  #inUse: (name: string) => boolean = isShardName;

  private constructor(state: HubState) {
    this.name = state.name;
    this.file = state.repository.file;
    this.#state = state;
    this.#folder = folderSource(this.#path(""), state.name);
  }

  static async open(state: HubState): Promise<HubFiles> {
    const source = new HubFiles(state);
    const { signal } = state.options;
    /** They are fetched when they are read. */
    const later = [...otherVocabularies, ...configurationFiles];
    await source.#list([...companionFiles, INDEX_FILE, SINGLE_FILE, ...later], signal);
    for (const file of source.#files.keys())
      if (!isShardName(file) && !later.includes(file)) await source.#ensure(file, signal);
    if (
      state.repository.file !== undefined ||
      ![INDEX_FILE, SINGLE_FILE].some((name) => source.#files.has(name))
    ) {
      const weights = (await source.list(signal)).filter((name) => isGguf(name) || isLooseShard(name));
      await source.#list([...weights, ...adapterFiles], signal);
    }
    if (source.#files.has(INDEX_FILE)) {
      const shards = new Set(parseIndex((await readJson(source.#folder, INDEX_FILE, signal)) ?? {}).values());
      await source.#list([...shards], signal);
      // With all shards there, model.safetensors is not needed. Without, the index may be left over.
      if ([...shards].every((shard) => source.#files.has(shard))) {
        if (!shards.has(SINGLE_FILE)) source.#files.delete(SINGLE_FILE);
      }
    }
    await source.#setRef();
    return source;
  }

  async size(file: string): Promise<number | undefined> {
    return this.#files.get(file)?.size;
  }

  /** Empty if the Hub does not answer. */
  async list(signal?: AbortSignal): Promise<readonly string[]> {
    this.#names ??= this.#state.listing.names(this.#state.commit, signal);
    return this.#names.catch(() => {
      this.#names = undefined;
      signal?.throwIfAborted();
      return [];
    });
  }

  /** Downloads a file whole, unless it is on disk. @throws CheckpointError, NetworkError as `read` */
  fetch(file: string, signal?: AbortSignal): Promise<void> {
    return this.#ensure(file, signal ?? this.#state.options.signal);
  }

  async read(file: string, start = 0, end?: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const info = this.#files.get(file);
    if (!info) throw mismatch(this.#what(file), "a file", "no such file", ADVICE, "not-found");
    const stop = end ?? info.size;
    if (stop > info.size) {
      throw mismatch(
        this.#what(file),
        `at least ${stop} bytes`,
        `${info.size}`,
        "Choose another checkpoint.",
      );
    }
    if (!this.#local.has(file)) {
      if (this.#isEarly(file, start, stop)) return this.#readEarly(info, start, stop, signal);
      await this.#ensure(file, signal ?? this.#state.options.signal);
    }
    return this.#folder.read(file, start, stop, signal);
  }

  /**
   * Whether bytes are read before the weights: of the header of a shard, whose length its first eight bytes
   * say; of a GGUF file from its beginning on, and a few anywhere.
   */
  #isEarly(file: string, start: number, end: number): boolean {
    if (!isGguf(file)) return end <= (this.#headerEnd.get(file) ?? 8);
    this.#inUse = (name) =>
      name === file || (partStem(name) !== undefined && partStem(name) === partStem(file));
    return start === (this.#headerEnd.get(file) ?? 0) || end - start <= MAX_EARLY_BYTES;
  }

  /** Gets the sizes and digests of `names`, and notes which files are on disk already. */
  async #list(names: readonly string[], signal?: AbortSignal): Promise<void> {
    const { listing, commit } = this.#state;
    for (const file of await listing.files(names, commit, signal)) {
      this.#files.set(file.name, file);
      if ((await fileSize(this.#path(file.name))) === file.size) this.#local.add(file.name);
    }
  }

  /** Downloads a file unless it is on disk. Concurrent calls share one download. */
  async #ensure(file: string, signal?: AbortSignal): Promise<void> {
    const info = this.#files.get(file);
    if (!info || this.#local.has(file)) return;
    const running = this.#downloads.get(file) ?? this.#download(info, signal);
    this.#downloads.set(file, running);
    try {
      await running;
    } finally {
      this.#downloads.delete(file);
    }
  }

  async #download(file: HubFile, signal?: AbortSignal): Promise<void> {
    const { cache, commit, repository, http } = this.#state;
    const blob = cache.blob(file.digest);
    if ((await fileSize(blob)) !== file.size) {
      const onBytes = this.#inUse(file.name) ? this.#progress(file) : undefined;
      await downloadVerified(file, this.#what(file.name), this.#url(file.name), blob, {
        ...http,
        signal,
        onBytes,
      });
    }
    const { folder = "" } = repository;
    await cache.point(commit, folder + file.name, file.digest);
    for (const { start, bytes } of this.#early.get(file.name) ?? []) {
      const verified = await this.#folder.read(file.name, start, start + bytes.length);
      if (Buffer.compare(verified, bytes) !== 0) {
        throw mismatch(
          this.#what(file.name),
          "the header that was read before",
          "another one",
          "Load it again.",
        );
      }
    }
    this.#early.delete(file.name);
    this.#local.add(file.name);
    await this.#setRef();
  }

  #progress(file: HubFile): ((bytes: number) => void) | undefined {
    const { onProgress } = this.#state.options;
    if (!onProgress) return undefined;
    const weights = [...this.#files.values()].filter(({ name }) => this.#inUse(name));
    const total = weights.reduce((sum, { size }) => sum + size, 0);
    const before = weights.reduce((sum, { name, size }) => sum + (this.#local.has(name) ? size : 0), 0);
    return (bytes) => onProgress({ file: file.name, loaded: before + bytes, total });
  }

  async #readEarly(
    { name, size }: HubFile,
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(end - start);
    let at = 0;
    const fill = (chunk: Uint8Array): void => {
      bytes.set(chunk, at);
      at += chunk.length;
    };
    const range = { what: this.#what(name), url: this.#url(name), start, end, size, maxWhole: 64 * 2 ** 20 };
    await fetchRange(range, fill, this.#state.http, signal ?? this.#state.options.signal);
    if (isGguf(name)) {
      if (start === (this.#headerEnd.get(name) ?? 0)) this.#headerEnd.set(name, end);
    } else if (start === 0 && end === 8) {
      const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
      this.#headerEnd.set(name, 8 + length);
    }
    this.#early.set(name, [...(this.#early.get(name) ?? []), { start, bytes: bytes.slice() }]);
    return bytes;
  }

  // Offline, the ref decides which commit is loaded, so it is set only once all weights are on disk.
  async #setRef(): Promise<void> {
    const { cache, commit, repository } = this.#state;
    if (isCommit(repository.revision)) return;
    const weights = [...this.#files.keys()].filter(this.#inUse);
    if (weights.length > 0 && weights.every((name) => this.#local.has(name)))
      await cache.setCommit(repository.revision, commit);
  }

  #what(file: string): string {
    return `${this.name}: ${label(file)}`;
  }

  /** In the cache. */
  #path(file: string): string {
    const { cache, commit, repository } = this.#state;
    return join(cache.snapshot(commit), repository.folder ?? "", file);
  }

  #url(file: string): URL {
    const { repository, commit } = this.#state;
    const { endpoint, name, folder = "" } = repository;
    return new URL(`${endpoint}/${name}/resolve/${commit}/${encodePath(folder + file)}`);
  }
}
