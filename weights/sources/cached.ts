// A source with what was read of it before, beside the tensors: small files whole, shards up to the end of their headers.
// With these and the packed tensors a checkpoint opens without its network.
import { mismatch, SourceChangedError } from "../errors.ts";
import { decodeRecords, encodeRecord } from "../integrity/journal.ts";
import { sha256, sha256OfText } from "../integrity/sha256.ts";
import { isObject } from "../json.ts";
import type { Source } from "./source.ts";

/** A file as far as it was read, from its first byte on. */
interface KeptFile {
  /** undefined: there is no such file. */
  readonly size: number | undefined;
  readonly version: string | undefined;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export class KeptSource implements Source {
  readonly name: string;
  readonly #origin: Source;
  readonly #files: Map<string, KeptFile>;
  readonly #unchanged = new Set<string>();
  #sealed = false;
  #fresh = false;

  private constructor(origin: Source, files: Map<string, KeptFile>) {
    this.name = origin.name;
    this.#origin = origin;
    this.#files = files;
  }

  /** `kept` is what `encode` gave; what of it is damaged is read again. */
  static async open(origin: Source, kept: Uint8Array<ArrayBuffer>): Promise<KeptSource> {
    return new KeptSource(origin, await decodeFiles(kept));
  }

  async size(file: string, signal?: AbortSignal): Promise<number | undefined> {
    return (await this.#file(file, signal)).size;
  }

  async read(file: string, start = 0, end?: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const kept = await this.#file(file, signal);
    const stop = end ?? kept.size ?? 0;
    if (stop <= kept.bytes.length && kept.size !== undefined) return kept.bytes.slice(start, stop);
    await this.#checkUnchanged(file, kept, signal);
    const bytes = await this.#origin.read(file, start, end, signal);
    if (!this.#sealed && start === kept.bytes.length && bytes.length > 0) {
      const longer = new Uint8Array(start + bytes.length);
      longer.set(kept.bytes);
      longer.set(bytes, start);
      this.#keep(file, { ...kept, bytes: longer });
    }
    return bytes;
  }

  async sha256(file: string, signal?: AbortSignal): Promise<string | undefined> {
    return this.#origin.sha256?.(file, signal);
  }

  /** What was read of a file was wrong. */
  forget(file: string): void {
    this.#files.delete(file);
  }

  /** From now on nothing more is kept: what is read next are tensors. */
  seal(): void {
    this.#sealed = true;
  }

  /** Whether there is more than `open` was given. */
  get fresh(): boolean {
    return this.#fresh;
  }

  /** Of the files that were not kept whole, which are those that hold tensors: their headers, sizes and versions. */
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

  /** A line that says what is kept, then the bytes of the files one after the other. */
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

  async #file(file: string, signal: AbortSignal | undefined): Promise<KeptFile> {
    const kept = this.#files.get(file);
    if (kept) return kept;
    const size = await this.#origin.size(file, signal);
    const version = size === undefined ? undefined : await this.#origin.version?.(file, signal);
    const found = { size, version, bytes: new Uint8Array() };
    if (!this.#sealed) this.#keep(file, found);
    this.#unchanged.add(file);
    return found;
  }

  #keep(file: string, kept: KeptFile): void {
    this.#files.set(file, kept);
    this.#fresh = true;
  }

  async #checkUnchanged(file: string, kept: KeptFile, signal: AbortSignal | undefined): Promise<void> {
    if (this.#unchanged.has(file)) return;
    const size = await this.#origin.size(file, signal);
    // A server that is out of order, or a network's own page, says nothing of the checkpoint: read() will tell what it is.
    if (size === undefined) return;
    const version = await this.#origin.version?.(file, signal);
    // Where one of two answers has no version, the size has to do.
    const differs = kept.version !== undefined && version !== undefined && version !== kept.version;
    if (size !== kept.size || differs) {
      const { message } = mismatch(
        `${this.name}: ${file}`,
        `the file that was stored in part (${kept.size} bytes, ${kept.version ?? "no version"})`,
        `another (${size} bytes, ${version ?? "no version"})`,
        "Delete the stored model and load it again.",
      );
      throw new SourceChangedError(message);
    }
    this.#unchanged.add(file);
  }
}

/** The name that stands in what `encode` gave; undefined where it is torn. */
export function nameOfKept(kept: Uint8Array): string | undefined {
  const name = decodeRecords(kept.subarray(0, kept.indexOf(10) + 1)).records[0]?.["name"];
  return typeof name === "string" ? name : undefined;
}

async function decodeFiles(kept: Uint8Array<ArrayBuffer>): Promise<Map<string, KeptFile>> {
  const files = new Map<string, KeptFile>();
  const { records, length } = decodeRecords(kept.subarray(0, kept.indexOf(10) + 1));
  const entries = records[0]?.["files"];
  let at = length;
  for (const entry of Array.isArray(entries) ? entries : []) {
    if (!isObject(entry)) continue;
    const { file, size, version, length, sha256: digest } = entry;
    const bytes = kept.slice(at, at + Number(length));
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
