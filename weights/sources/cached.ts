// A source that caches what is read before the tensors: small files, and the headers of shards. With this
// cache and the packed tensors a checkpoint opens without the network.
import { mismatch, SourceChangedError } from "../errors.ts";
import { decodeRecords, encodeRecord } from "../integrity/journal.ts";
import { sha256, sha256OfText } from "../integrity/sha256.ts";
import { isObject } from "../json.ts";
import type { Source } from "../source.ts";

/** A prefix of a file. */
interface CachedFile {
  /** The size of the whole file; undefined if there is no such file. */
  readonly size: number | undefined;
  readonly version: string | undefined;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What the list of files is cached as: no file has an empty name. */
const LIST = "";

export class CachedSource implements Source {
  readonly name: string;
  readonly file: string | undefined;
  readonly #origin: Source;
  readonly #files: Map<string, CachedFile>;
  /** Files that were compared with the origin since `open`. */
  readonly #unchanged = new Set<string>();
  #frozen = false;
  #dirty = false;

  private constructor(origin: Source, files: Map<string, CachedFile>) {
    this.name = origin.name;
    this.file = origin.file;
    this.#origin = origin;
    this.#files = files;
  }

  /** @param cached what `encode` returned, or no bytes. Damaged files in it are read again. */
  static async open(origin: Source, cached: Uint8Array<ArrayBuffer>): Promise<CachedSource> {
    return new CachedSource(origin, await decodeFiles(cached));
  }

  async size(file: string, signal?: AbortSignal): Promise<number | undefined> {
    return (await this.#file(file, signal)).size;
  }

  async read(file: string, start = 0, end?: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const cached = await this.#file(file, signal);
    const stop = end ?? cached.size ?? 0;
    if (stop <= cached.bytes.length && cached.size !== undefined) return cached.bytes.slice(start, stop);
    await this.#checkUnchanged(file, cached, signal);
    const bytes = await this.#origin.read(file, start, end, signal);
    if (!this.#frozen && start === cached.bytes.length && bytes.length > 0) {
      const longer = new Uint8Array(start + bytes.length);
      longer.set(cached.bytes);
      longer.set(bytes, start);
      this.#store(file, { ...cached, bytes: longer });
    }
    return bytes;
  }

  /** The first list that is not empty is kept: what was chosen from it is stored. */
  async list(signal?: AbortSignal): Promise<readonly string[]> {
    const cached = this.#files.get(LIST);
    if (cached) return JSON.parse(new TextDecoder().decode(cached.bytes));
    const names = (await this.#origin.list?.(signal)) ?? [];
    const bytes = new TextEncoder().encode(JSON.stringify(names));
    if (names.length > 0 && !this.#frozen)
      this.#store(LIST, { size: bytes.length, version: undefined, bytes });
    return names;
  }

  async sha256(file: string, signal?: AbortSignal): Promise<string | undefined> {
    return this.#origin.sha256?.(file, signal);
  }

  /** Drops a file whose bytes are wrong. */
  invalidate(file: string): void {
    this.#files.delete(file);
  }

  /** Caches nothing more from now on: the next reads are tensors. */
  freeze(): void {
    this.#frozen = true;
  }

  /** Whether the cache has more than `open` was given. */
  get dirty(): boolean {
    return this.#dirty;
  }

  /**
   * A digest of the sizes, versions and headers of the files that are not cached whole: those with tensors.
   */
  async identity(): Promise<string> {
    const shards = [...this.#files].filter(
      ([, { size, bytes }]) => size !== undefined && bytes.length < size,
    );
    const facts = shards.map(async ([file, { size, version, bytes }]) => [
      file,
      size,
      version,
      await sha256(bytes),
    ]);
    return sha256OfText(JSON.stringify((await Promise.all(facts)).sort()));
  }

  /** The cache as bytes: one journal record that lists the files, then their bytes in that order. */
  async encode(): Promise<Uint8Array<ArrayBuffer>> {
    const files = await Promise.all(
      [...this.#files].map(async ([file, { size, version, bytes }]) => ({
        file,
        size,
        version,
        length: bytes.length,
        sha256: await sha256(bytes),
      })),
    );
    const parts = [
      encodeRecord({ name: this.name, files }),
      ...[...this.#files.values()].map((f) => f.bytes),
    ];
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  }

  async #file(file: string, signal: AbortSignal | undefined): Promise<CachedFile> {
    const cached = this.#files.get(file);
    if (cached) return cached;
    const size = await this.#origin.size(file, signal);
    const version = size === undefined ? undefined : await this.#origin.version?.(file, signal);
    const found = { size, version, bytes: new Uint8Array() };
    if (!this.#frozen) this.#store(file, found);
    this.#unchanged.add(file);
    return found;
  }

  #store(file: string, cached: CachedFile): void {
    this.#files.set(file, cached);
    this.#dirty = true;
  }

  async #checkUnchanged(file: string, cached: CachedFile, signal: AbortSignal | undefined): Promise<void> {
    if (this.#unchanged.has(file)) return;
    const size = await this.#origin.size(file, signal);
    // No answer about the file, for example a captive portal's page: `read` explains the failure.
    if (size === undefined) return;
    const version = await this.#origin.version?.(file, signal);
    // If either side has no version, only the sizes are compared.
    const differs = cached.version !== undefined && version !== undefined && version !== cached.version;
    if (size !== cached.size || differs) {
      const { message } = mismatch(
        `${this.name}: ${file}`,
        `the file that was stored in part (${cached.size} bytes, ${cached.version ?? "no version"})`,
        `another one (${size} bytes, ${version ?? "no version"})`,
        "Delete the stored model and load it again.",
      );
      throw new SourceChangedError(message);
    }
    this.#unchanged.add(file);
  }
}

/** The source's name in what `encode` returned; undefined if it is damaged. */
export function cachedName(cached: Uint8Array): string | undefined {
  const name = decodeRecords(cached.subarray(0, cached.indexOf(10) + 1)).records[0]?.["name"];
  return typeof name === "string" ? name : undefined;
}

async function decodeFiles(cached: Uint8Array<ArrayBuffer>): Promise<Map<string, CachedFile>> {
  const files = new Map<string, CachedFile>();
  const { records, length } = decodeRecords(cached.subarray(0, cached.indexOf(10) + 1));
  const entries = records[0]?.["files"];
  let at = length;
  for (const entry of Array.isArray(entries) ? entries : []) {
    if (!isObject(entry)) continue;
    const { file, size, version, length, sha256: digest } = entry;
    const bytes = cached.slice(at, at + Number(length));
    at += Number(length);
    if (typeof file !== "string" || (await sha256(bytes)) !== digest) continue;
    files.set(file, {
      size: typeof size === "number" ? size : undefined,
      version: typeof version === "string" ? version : undefined,
      bytes,
    });
  }
  return files;
}
