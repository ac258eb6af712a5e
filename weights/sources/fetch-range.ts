// Fetches exactly the bytes [start, end) of a URL, in order, and resumes after faults.
import { mismatch, SourceChangedError } from "../errors.ts";
import { Fault, type HttpOptions, networkFault, parseContentRange, request, withRetries } from "./http.ts";

export interface RangeRequest {
  /** For messages: the file. */
  readonly what: string;
  readonly url: URL;
  readonly start: number;
  readonly end: number;
  /** Bytes of the whole file. */
  readonly size: number;
  /** The ETag or the Last-Modified that the file had. Default: not compared. */
  readonly version?: string | undefined;
  /** If the server ignores Range and the file is larger than this, refuse it. */
  readonly maxWhole: number;
}

type Chunk = Uint8Array<ArrayBuffer>;

/**
 * Passes the bytes to `sink`, chunk by chunk. After a fault it resumes where it stopped.
 * @throws CheckpointError if the server ignores Range and the file is too large, or keeps sending wrong bytes
 * @throws SourceChangedError if the file has another version by now
 */
export async function fetchRange(
  range: RangeRequest,
  sink: (chunk: Chunk) => void | Promise<void>,
  options: HttpOptions,
  signal?: AbortSignal,
): Promise<void> {
  let at = range.start;
  const attempt: Parameters<typeof withRetries<void>>[3] = async (one) => {
    const headers = { range: `bytes=${at}-${range.end - 1}` };
    const response = await request(range.what, range.url, headers, options, one);
    let skip = checkRange(response, at, range);
    for await (const chunk of chunks(response, one.signal)) {
      one.watch(false);
      const rest = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - rest.length;
      const wanted = rest.subarray(0, range.end - at);
      // The whole file (200) may go on after a part of it.
      if (wanted.length < rest.length && (response.status === 206 || range.end === range.size)) {
        throw new Fault("bytes", `expected ${range.end - range.start} bytes, got more`);
      }
      if (wanted.length > 0) await sink(wanted);
      at += wanted.length;
      // Stop early only inside a whole file (200). A 206 is read to its end, to notice one that is too long.
      if (at === range.end && response.status === 200 && range.end < range.size) return;
      one.watch();
    }
    if (at < range.end)
      throw new Fault("bytes", `expected ${range.end - range.start} bytes, got ${at - range.start}`);
  };
  if (range.end > range.start) await withRetries(range.what, options, signal, attempt, () => at);
}

/** Checks the response. Returns how many bytes of its body precede byte `at` of the file. */
function checkRange(response: Response, at: number, range: RangeRequest): number {
  const { what, end, size, maxWhole, version } = range;
  const now = response.headers.get(version?.includes('"') ? "etag" : "last-modified");
  if (version !== undefined && now !== null && now !== version) {
    throw new SourceChangedError(
      `${what}: expected the version ${version}, got ${now}: the file has changed meanwhile. Load it again.`,
    );
  }
  if (response.status === 206) {
    const got = parseContentRange(response);
    if (got && (got.start !== at || got.end !== end || (Number.isFinite(got.total) && got.total !== size))) {
      const text = `${got.start}-${got.end - 1}/${got.total}`;
      throw new Fault("bytes", `expected bytes ${at}-${end - 1}/${size}, got ${text}`);
    }
    return 0;
  }
  if (response.status !== 200) {
    throw new Fault("bytes", `expected bytes ${at}-${end - 1}, got HTTP ${response.status}`);
  }
  if (size > maxWhole && !(at === 0 && end === size)) {
    const advice = "Serve the checkpoint from a server with Range requests, or from a folder.";
    throw mismatch(what, "a part (HTTP 206)", `all of its ${size} bytes: the server ignores Range`, advice);
  }
  const length = contentLength(response);
  if (length !== undefined && length !== size)
    throw new Fault("bytes", `expected ${size} bytes, got ${length}`);
  return at;
}

/** Content-Length, unless the body is compressed: then it does not count the decoded bytes. */
export function contentLength(response: Response): number | undefined {
  const length = response.headers.get("content-length");
  const encoded = (response.headers.get("content-encoding") ?? "identity") !== "identity";
  return length === null || encoded || !/^\d{1,16}$/.test(length) ? undefined : Number(length);
}

/** The chunks of the body. @throws Fault if the connection breaks */
export async function* chunks(response: Response, signal: AbortSignal): AsyncGenerator<Chunk, void, void> {
  const reader = response.body?.getReader();
  for (;;) {
    let read: ReadableStreamReadResult<Chunk> | undefined;
    try {
      read = await reader?.read();
    } catch (cause) {
      throw networkFault(cause, signal, "bytes");
    }
    if (!read || read.done) return;
    yield read.value;
  }
}
