// A checkpoint under an HTTP(S) address, read by Range requests.
import { CheckpointError, type CheckpointErrorCode, mismatch, SourceChangedError } from "../errors.ts";
import { isGguf } from "../named-file.ts";
import type { Source } from "../source.ts";
import { chunks, contentLength, fetchRange } from "./fetch-range.ts";
import { type Attempt, Fault, type HttpOptions, parseContentRange, request, withRetries } from "./http.ts";
import { hubDigests, statedDigest } from "./stated-digests.ts";

/** Options of `httpSource`. */
export interface HttpSourceOptions extends HttpOptions {
  /**
   * Called once if the server ignores Range: small files are fetched whole then, large ones refused. Default:
   * none.
   */
  readonly onWarning?: (message: string) => void;
}

/** Files up to this size, in bytes, are fetched whole from a server that ignores Range. */
const MAX_WHOLE = 64 * 2 ** 20;

/** `size` treats files with these errors as missing. `read` throws the errors. */
const MISSING: ReadonlySet<CheckpointErrorCode> = new Set(["not-found", "forbidden", "html"]);

interface Whole {
  readonly file: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * The files of a checkpoint under an address, read by HTTP Range requests.
 *
 * @param base address of the folder: `base`/config.json and the other files are read. Or of a GGUF file.
 * @throws TypeError if `base` is not an address
 *
 * @example
 * ```ts
 * import { httpSource, loadModel } from "sirocco";
 *
 * const source = httpSource("https://example.com/models/mistral/", {
 *   headers: { authorization: "Bearer KEY" },
 * });
 * const model = await loadModel(source, { weights: "q8" });
 * ```
 */
export function httpSource(base: string | URL, options: HttpSourceOptions = {}): Source {
  return new HttpSource(new URL(base), options);
}

/** Without user, password and query, which may be secret. */
const shown = ({ origin, pathname }: URL): string => `${origin}${pathname}`;

class HttpSource implements Source {
  readonly name: string;
  readonly file: string | undefined;
  /** Of the folder. */
  readonly #base: URL;
  readonly #options: HttpSourceOptions;
  readonly #sizes = new Map<string, number>();
  readonly #versions = new Map<string, string>();
  /** SHA-256 by file, as stated in the server's header, and as listed by a Hub. */
  readonly #stated = new Map<string, string | undefined>();
  #listed: ReadonlyMap<string, string | undefined> | undefined;
  // The last file that was fetched whole: its header and its tensors are read one after the other.
  #whole: Whole | undefined;
  #warned = false;

  constructor(address: URL, options: HttpSourceOptions) {
    this.name = shown(address);
    this.#base = new URL(address);
    const [, folder = "", file = ""] = /^(.*\/)([^/]*)$/.exec(address.pathname) ?? [];
    if (isGguf(file)) {
      this.#base.pathname = folder;
      this.file = decodeURIComponent(file);
    }
    this.#options = options;
  }

  async size(file: string, signal?: AbortSignal): Promise<number | undefined> {
    try {
      return await this.#size(file, signal);
    } catch (error) {
      if (error instanceof CheckpointError && MISSING.has(error.code)) return undefined;
      throw error;
    }
  }

  async version(file: string, signal?: AbortSignal): Promise<string | undefined> {
    await this.#size(file, signal);
    return this.#versions.get(file);
  }

  async sha256(file: string, signal?: AbortSignal): Promise<string | undefined> {
    await this.#size(file, signal);
    return (await this.#list(signal)).get(file) ?? this.#stated.get(file);
  }

  /** Only a Hub lists its files: the list is empty elsewhere. */
  async list(signal?: AbortSignal): Promise<readonly string[]> {
    return [...(await this.#list(signal)).keys()];
  }

  async #list(signal?: AbortSignal): Promise<ReadonlyMap<string, string | undefined>> {
    this.#listed ??= await hubDigests(this.#base, this.#options, signal);
    return this.#listed;
  }

  async read(file: string, start = 0, end?: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const size = await this.#size(file, signal);
    const stop = end ?? size;
    if (start < 0 || stop < start) throw new RangeError(`${file}: bytes ${start} to ${stop}`);
    if (stop > size) {
      throw mismatch(
        this.#what(file),
        `at least ${stop} bytes`,
        `${size}`,
        "The file is incomplete: fetch it again.",
      );
    }
    if (this.#whole?.file === file) return this.#whole.bytes.slice(start, stop);
    const bytes = new Uint8Array(stop - start);
    let at = 0;
    const range = {
      what: this.#what(file),
      url: this.#url(file),
      start,
      end: stop,
      size,
      maxWhole: MAX_WHOLE,
      version: this.#versions.get(file),
    };
    const fill = (chunk: Uint8Array): void => {
      bytes.set(chunk, at);
      at += chunk.length;
    };
    try {
      await fetchRange(range, fill, this.#options, signal);
    } catch (error) {
      if (error instanceof SourceChangedError) this.#sizes.clear(); // The next load asks for the new version.
      throw error;
    }
    return bytes;
  }

  async #size(file: string, signal?: AbortSignal): Promise<number> {
    const known = this.#sizes.get(file);
    if (known !== undefined) return known;
    const what = this.#what(file);
    const size = await withRetries(what, this.#options, signal, (one) => this.#probe(file, what, one));
    this.#sizes.set(file, size);
    return size;
  }

  // A request for one byte shows the file's size and whether the server supports ranges.
  async #probe(file: string, what: string, one: Attempt): Promise<number> {
    const url = this.#url(file);
    const response = await request(what, url, { range: "bytes=0-0" }, this.#options, one);
    // CORS may hide the ETag, but never Last-Modified.
    const version = response.headers.get("etag") ?? response.headers.get("last-modified");
    if (version !== null) this.#versions.set(file, version);
    this.#stated.set(file, statedDigest(response));
    if (response.status === 206) {
      const total = parseContentRange(response)?.total;
      if (total !== undefined && Number.isSafeInteger(total)) return total;
      // CORS may hide Content-Range, but never Content-Length.
      const length = contentLength(await request(what, url, {}, this.#options, one, "HEAD"));
      if (length === undefined)
        throw mismatch(what, "a Content-Length", "none", "Serve the file with its size.");
      return length;
    }
    if (response.status === 416) return 0;
    const length = contentLength(response);
    this.#warn(what);
    if (length !== undefined && length > MAX_WHOLE) return length;
    this.#whole = { file, bytes: await readWhole(what, response, length, one) };
    return this.#whole.bytes.length;
  }

  #warn(what: string): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#options.onWarning?.(`${what}: the server ignores Range requests; files are fetched whole.`);
  }

  #what(file: string): string {
    return `${shown(this.#base).replace(/\/*$/, "/")}${file}`;
  }

  #url(file: string): URL {
    if (!/^[^/\\\0]+$/.test(file) || file === "." || file === "..") {
      throw mismatch(file, "a plain file name", "a path", "Files of a checkpoint lie in one folder.");
    }
    const url = new URL(this.#base);
    url.pathname = `${url.pathname.replace(/\/*$/, "/")}${encodeURIComponent(file)}`;
    return url;
  }
}

async function readWhole(
  what: string,
  response: Response,
  length: number | undefined,
  one: Attempt,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of chunks(response, one.signal)) {
    one.watch();
    parts.push(chunk);
    size += chunk.length;
    if (size > MAX_WHOLE) {
      const got = `more, of unknown length: the server ignores Range`;
      throw mismatch(what, `at most ${MAX_WHOLE} bytes`, got, "Serve it from a server with Range requests.");
    }
  }
  if (length !== undefined && size !== length)
    throw new Fault("bytes", `expected ${length} bytes, got ${size}`);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
