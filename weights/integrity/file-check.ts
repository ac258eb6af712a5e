// Checks a file against its stated SHA-256 while its tensors are read one after the other.
import { label, WrongFileError } from "../errors.ts";

import type { Source } from "../source.ts";
import type { TensorInfo } from "../tensor-info.ts";
import type { FileHash, FileState, OpenFileHash } from "./file-hash.ts";

/** Bytes per read, for parts of the file that only the check needs. */
const CHUNK_BYTES = 8 * 2 ** 20;

/** The hash is loaded when a digest is stated: most pages have none to check. */
const openOnThisThread: OpenFileHash = async (state, length) =>
  (await import("./local-hash.ts")).openLocalHash(state, length);

/**
 * A source of one file whose tensors are read in order. It also reads the header and the tensors that the
 * model does not use, to hash them. Tensors that are stored need not be read again: the state at the end of
 * each is stored with it.
 */
export class FileCheck {
  readonly file: string;
  readonly #source: Source;
  readonly #open: OpenFileHash;
  /** Whether the source was asked for the stated digest. */
  #asked = false;
  #stated: string | undefined;
  /** Where the hash begins: at the start, or after a stored tensor. undefined if that has no state. */
  #from: { readonly state?: FileState; readonly length: number } | undefined = { length: 0 };
  /** Opened when the first bytes are read. */
  #hash: FileHash | undefined;
  /** The state that was asked for last. */
  #state: Promise<FileState | undefined> = Promise.resolve(undefined);

  /** @param open where to hash; default: on this thread */
  constructor(source: Source, file: string, open: OpenFileHash = openOnThisThread) {
    this.#source = source;
    this.#open = open;
    this.file = file;
  }

  get name(): string {
    return this.#source.name;
  }

  async read(file: string, start = 0, end?: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await this.#source.read(file, start, end, signal);
    const hash = await this.#upTo(start, signal);
    await hash?.update(bytes.subarray(hash.length - start));
    return bytes;
  }

  /**
   * The state at the end of a tensor that was read.
   * @throws WrongFileError if it was stored with another one
   */
  async stateAfter({ name }: TensorInfo, before: FileState | undefined): Promise<FileState | undefined> {
    this.#state = this.#hash?.state() ?? Promise.resolve(undefined);
    const state = await this.#state;
    if (state && before && `${state}` !== `${before}`)
      throw this.#wrong(`${label(name)} as it was first downloaded`, "other bytes");
    return state;
  }

  /** Skips a tensor that is stored, and continues with its state. */
  skip({ end }: TensorInfo, state: FileState | undefined): void {
    const close = this.#hash?.close;
    this.#hash = undefined;
    // The tensor before may still wait for its state.
    if (close) this.#state.then(close, close);
    this.#from = state && { state, length: end };
  }

  /** Reads the rest of the file. @throws WrongFileError if the digest is not the stated one */
  async finish(signal?: AbortSignal): Promise<void> {
    const hash = await this.#upTo((await this.#source.size(this.file, signal)) ?? 0, signal);
    const got = await hash?.digest();
    this.close();
    if (got !== undefined && got !== this.#stated) throw this.#wrong(`SHA-256 ${this.#stated}`, got);
  }

  /** Frees the hash. */
  close(): void {
    this.#hash?.close();
    this.#hash = undefined;
  }

  /** The hash of at least the first `end` bytes; undefined if no digest is stated. */
  async #upTo(end: number, signal: AbortSignal | undefined): Promise<FileHash | undefined> {
    if (!this.#from) return undefined;
    if (!this.#asked) this.#stated = await this.#source.sha256?.(this.file, signal);
    this.#asked = true;
    if (this.#stated === undefined) return undefined;
    this.#hash ??= await this.#open(this.#from.state, this.#from.length);
    const hash = this.#hash;
    while (hash.length < end) {
      const next = Math.min(end, hash.length + CHUNK_BYTES);
      await hash.update(await this.#source.read(this.file, hash.length, next, signal));
    }
    return hash;
  }

  #wrong(expected: string, got: string): WrongFileError {
    const where = `${this.name}: ${label(this.file)}`;
    return new WrongFileError(
      this.file,
      `${where}: expected ${expected}, got ${got}. Nothing of it is kept: load again to fetch it anew.`,
    );
  }
}
