// HTTP requests that are retried when they fail, stall or end early, and whose answers are checked.
import { CheckpointError, mismatch, NetworkError, show } from "../errors.ts";

/** How files are requested over HTTP. */
export interface HttpOptions {
  /** Makes the requests. Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Sent with every request, such as Authorization. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the message of an error about a 401 or 403: what to do. Default: a general advice. */
  readonly accessAdvice?: string;
  /** How often a request is tried again without a MiB of progress, ≥ 0. Default 5. */
  readonly retries?: number;
  /** Milliseconds before the first new try, ≥ 0, doubled each time. Default 500. */
  readonly retryDelayMs?: number;
  /** Milliseconds of silence after which a connection is given up, ≥ 1. Default 30,000. */
  readonly stallMs?: number;
}

const MAX_PAUSE_MS = 60_000;
const PROGRESS_BYTES = 2 ** 20;
/** A timer that fires so many milliseconds late did not measure the network. */
const LATE_MS = 1000;

/** A temporary fault. After the last try a fault of kind `bytes` (wrong data) becomes a CheckpointError. */
export class Fault extends Error {
  readonly kind: "network" | "bytes";
  readonly pauseMs: number | undefined;
  /** The HTTP status, if a server answered. */
  readonly status: number | undefined;

  constructor(
    kind: Fault["kind"],
    message: string,
    { cause, pauseMs, status }: { cause?: unknown; pauseMs?: number | undefined; status?: number } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.pauseMs = pauseMs;
    this.status = status;
  }
}

/** One try of a request. */
export interface Attempt {
  readonly signal: AbortSignal;
  /** Restarts the stall timer, whenever data arrives; `false` stops it. */
  watch(on?: boolean): void;
}

/**
 * Runs `attempt` until it succeeds. Retries Faults after growing pauses; other errors are thrown unchanged.
 * @param progress the number of bytes received so far: each MiB of progress restarts the count of tries
 */
export async function withRetries<T>(
  what: string,
  options: HttpOptions,
  signal: AbortSignal | undefined,
  attempt: (attempt: Attempt) => Promise<T>,
  progress: () => number = () => 0,
): Promise<T> {
  const { retries = 5, retryDelayMs = 500 } = options;
  let failures = 0;
  for (let before = progress(); ; ) {
    try {
      return await once(options.stallMs ?? 30_000, signal, attempt);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Fault)) throw error;
      if (progress() - before >= PROGRESS_BYTES) {
        failures = 0;
        before = progress();
      }
      if (++failures > retries) throw giveUp(what, error, failures);
      const pause = error.pauseMs ?? retryDelayMs * 2 ** (failures - 1) * (0.75 + Math.random() / 2);
      await sleep(Math.min(pause, MAX_PAUSE_MS), signal);
    }
  }
}

async function once<T>(
  stallMs: number,
  outer: AbortSignal | undefined,
  attempt: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted();
  const controller = new AbortController();
  const signal = outer ? AbortSignal.any([outer, controller.signal]) : controller.signal;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = (on = true, patient = true): void => {
    clearTimeout(timer);
    if (!on) return;
    const due = performance.now() + stallMs;
    timer = setTimeout(() => {
      // Late: the machine slept, or its thread was busy. What came meanwhile may still be in line.
      if (patient && performance.now() > due + LATE_MS) watch(true, false);
      else controller.abort(new Fault("network", `nothing came for ${stallMs / 1000} s`));
    }, stallMs);
  };
  try {
    watch();
    return await attempt({ signal, watch: (on) => watch(on) });
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    watch(false);
    controller.abort(); // Releases a body that was not read to its end.
  }
}

function giveUp(what: string, fault: Fault, tries: number): Error {
  const message = `${what}: ${fault.message} (tried ${tries} times).`;
  if (fault.kind === "bytes")
    return new CheckpointError(`${message} Fetch the file again.`, { code: "damaged-file", cause: fault });
  return new NetworkError(`${message} Check the connection and try again.`, {
    status: fault.status,
    cause: fault.cause ?? fault,
  });
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
}

/**
 * Sends a request.
 * @throws Fault for statuses that may be temporary
 * @throws CheckpointError for a refusal, a missing file, or a web page instead of a file
 */
export async function request(
  what: string,
  url: URL,
  headers: Readonly<Record<string, string>>,
  options: HttpOptions,
  { signal }: Attempt,
  method = "GET",
): Promise<Response> {
  let response: Response;
  try {
    const send = options.fetch ?? fetch;
    response = await send(url, { method, headers: { ...options.headers, ...headers }, signal });
  } catch (cause) {
    throw networkFault(cause, signal);
  }
  const { status } = response;
  if (status === 408 || status === 429 || status >= 500) {
    const after = retryAfter(response.headers.get("retry-after"));
    throw new Fault("network", `the server answered HTTP ${status}`, { pauseMs: after, status });
  }
  if (status === 404 || status === 410)
    throw mismatch(what, "a file", "no such file", "Check the address.", "not-found", status);
  if (status === 401 || status === 403) {
    const advice = options.accessAdvice ?? "Check the address and the credentials.";
    throw mismatch(what, "access", `HTTP ${status}`, advice, "forbidden", status);
  }
  if (!response.ok && status !== 416)
    throw mismatch(what, "HTTP 200 or 206", `${status}`, "Check the address.", "http", status);
  if (response.headers.get("content-type")?.startsWith("text/html")) {
    const advice = "Check the address: the server has no such file.";
    throw mismatch(what, "the file", "an HTML page", advice, "html");
  }
  return response;
}

/** Makes a Fault of an error that `fetch` or a body threw; the reason of an aborted signal stays as it is. */
export function networkFault(cause: unknown, signal: AbortSignal, kind: Fault["kind"] = "network"): unknown {
  if (signal.aborted) return signal.reason;
  const { message, cause: inner } = cause as Error;
  return new Fault(kind, inner instanceof Error ? `${message} (${inner.message})` : message, { cause });
}

function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** Start, end (exclusive) and total of a Content-Range; undefined if there is none or CORS hides it. */
export function parseContentRange(
  response: Response,
): { start: number; end: number; total: number } | undefined {
  const text = response.headers.get("content-range");
  if (text === null) return undefined;
  const [, start, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(text.trim()) ?? [];
  if (start === undefined) throw new Fault("bytes", `expected a Content-Range, got ${show(text)}`);
  return { start: Number(start), end: Number(last) + 1, total: Number(total) };
}
