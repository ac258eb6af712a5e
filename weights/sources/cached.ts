// A source that caches what is read before the tensors: small files, and the headers of shards. With this
// cache and the packed tensors a checkpoint opens without the network.
import { mismatch, SourceChangedError } from "../errors.ts";
import { decodeRecords, encodeRecord } from "../integrity/journal.ts";
import { sha256, sha256OfText } from "../integrity/sha256.ts";
import { isObject } from "../json.ts";
import type { Source } from "../source.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes of a file from `start` on. */
interface Part {
  readonly start: number;
  readonly bytes: Bytes;
}

interface CachedFile {
  /** The size of the whole file; undefined if there is no such file. */
  readonly size: number | undefined;
  readonly version: string | undefined;
  /** What was read: the header, and perhaps a small tensor that the configuration needs. */
  readonly parts: readonly Part[];
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
  static async open(origin: Source, cached: Bytes): Promise<CachedSource> {
    return new CachedSource(origin, await decodeFiles(cached));
  }

  async size(file: string, signal?: AbortSignal): Promise<number | undefined> {
    return (await this.#file(file, signal)).size;
  }

  async read(file: string, start = 0, end?: number, signal?: AbortSignal): Promise<Bytes> {
    const cached = await this.#file(file, signal);
    const stop = end ?? cached.size ?? 0;
    const part = cached.parts.find(({ start: from, bytes }) => from <= start && start <= from + bytes.length);
    const known = part?.bytes.slice(start - part.start, Math.max(start, stop) - part.start);
    if (known && start + known.length >= stop && cached.size !== undefined) return known;
    await this.#checkUnchanged(file, cached, signal);
    const bytes = await this.#origin.read(file, start + (known?.length ?? 0), end, signal);
    if (!this.#frozen && bytes.length > 0) {
      const longer = part ? { ...part, bytes: joined(part.bytes, bytes) } : { start, bytes };
      // Other parts may have been read meanwhile.
      const others = (this.#files.get(file) ?? cached).parts.filter((each) => each !== part);
      this.#store(file, { ...cached, parts: [...others, longer] });
    }
    return known ? joined(known, bytes) : bytes;
  }

  /** The first list that is not empty is kept: what was chosen from it is stored. */
  async list(signal?: AbortSignal): Promise<readonly string[]> {
    const cached = this.#files.get(LIST);
    if (cached?.parts[0]) return JSON.parse(new TextDecoder().decode(cached.parts[0].bytes));
    const names = (await this.#origin.list?.(signal)) ?? [];
    const bytes = new TextEncoder().encode(JSON.stringify(names));
    if (names.length > 0 && !this.#frozen)
      this.#store(LIST, { size: bytes.length, version: undefined, parts: [{ start: 0, bytes }] });
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
      ([, { size, parts }]) =>
        size !== undefined && parts.reduce((sum, { bytes }) => sum + bytes.length, 0) < size,
    );
    const facts = shards.map(async ([file, cached]) => [
      ...[file, cached.size, cached.version],
      ...(await Promise.all(partsOf(cached).map(({ bytes }) => sha256(bytes)))),
    ]);
    return sha256OfText(JSON.stringify((await Promise.all(facts)).sort()));
  }

  /** The cache as bytes: one journal record that lists the parts of files, then their bytes in that order. */
  async encode(): Promise<Bytes> {
    const parts = [...this.#files].flatMap(([file, cached]) =>
      partsOf(cached).map((part) => ({ ...cached, ...part, file })),
    );
    const files = await Promise.all(
      parts.map(async ({ file, size, version, start, bytes }) => ({
        ...{ file, size, version, start, length: bytes.length },
        sha256: await sha256(bytes),
      })),
    );
    const record = encodeRecord({ name: this.name, files });
    return new Uint8Array(await new Blob([record, ...parts.map(({ bytes }) => bytes)]).arrayBuffer());
  }

  async #file(file: string, signal: AbortSignal | undefined): Promise<CachedFile> {
    const cached = this.#files.get(file);
    if (cached) return cached;
    const size = await this.#origin.size(file, signal);
    const version = size === undefined ? undefined : await this.#origin.version?.(file, signal);
    const found = { size, version, parts: [] };
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

/** In the order of their bytes. A file of which only the size is known has one without bytes. */
const partsOf = ({ parts }: CachedFile): readonly Part[] =>
  parts.length > 0 ? parts.toSorted((a, b) => a.start - b.start) : [{ start: 0, bytes: new Uint8Array() }];

function joined(a: Bytes, b: Bytes): Bytes {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

/** The source's name in what `encode` returned; undefined if it is damaged. */
export function cachedName(cached: Uint8Array): string | undefined {
  const name = decodeRecords(cached.subarray(0, cached.indexOf(10) + 1)).records[0]?.["name"];
  return typeof name === "string" ? name : undefined;
}

async function decodeFiles(cached: Bytes): Promise<Map<string, CachedFile>> {
  const files = new Map<string, CachedFile>();
  const { records, length } = decodeRecords(cached.subarray(0, cached.indexOf(10) + 1));
  const entries = records[0]?.["files"];
  let at = length;
  for (const entry of Array.isArray(entries) ? entries : []) {
    if (!isObject(entry)) continue;
    const { file, size, version, start, length, sha256: digest } = entry;
    const bytes = cached.slice(at, at + Number(length));
    at += Number(length);
    if (typeof file !== "string" || (await sha256(bytes)) !== digest) continue;
    files.set(file, {
      size: typeof size === "number" ? size : undefined,
      version: typeof version === "string" ? version : undefined,
      parts: [...(files.get(file)?.parts ?? []), { start: Number(start ?? 0), bytes }],
    });
  }
  return files;
}
