// The page's end of a port: sends calls, and settles them with the worker's replies.
import type { Chunk } from "../api.ts";
import { DeviceLostError } from "../errors.ts";
import { Gate } from "../gate.ts";
import { checkOptions, isPlain, signal as signalRule } from "../options/check.ts";
import { reviveError } from "./errors.ts";
import type { Arguments, Method, Reply, Request } from "./protocol.ts";

type Callback = (...values: readonly unknown[]) => unknown;

interface Pending {
  readonly signal: AbortSignal | undefined;
  onChunk(chunk: Chunk): void;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export class Connection {
  readonly #port: MessagePort;
  readonly #pending = new Map<number, Pending>();
  /** Kept after their call: a loaded model reports progress again when it is put on a new device. */
  readonly #callbacks = new Map<number, Readonly<Record<string, Callback>>>();
  #ids = 0;
  #failure: Error | undefined;

  constructor(port: MessagePort) {
    this.#port = port;
    port.addEventListener("message", ({ data }: MessageEvent<Reply>) => this.#receive(data));
    port.addEventListener("messageerror", () =>
      this.fail(
        new DeviceLostError("worker: expected a message, got one that cannot be read. Load the model again."),
      ),
    );
    port.start();
  }

  call(method: Method, args: readonly unknown[]): Promise<unknown> {
    return this.#send(method, args, () => {}).result;
  }

  async *stream(method: Method, args: readonly unknown[]): AsyncGenerator<Chunk, void, void> {
    const chunks: Chunk[] = [];
    let ended = false;
    const news = new Gate();
    const { id, result } = this.#send(method, args, (chunk) => {
      chunks.push(chunk);
      news.open();
    });
    const end = () => {
      ended = true;
      news.open();
    };
    const over = result.then(end, end);
    try {
      for (;;) {
        const chunk = chunks.shift();
        if (chunk) {
          this.#post({ type: "taken", id });
          yield chunk;
        } else if (ended) {
          await result;
          return;
        } else {
          await news.next();
        }
      }
    } finally {
      // The worker stops an answer that nobody reads, so the next call need not wait for it.
      if (!ended) this.#post({ type: "left", id });
      await over;
      this.#callbacks.delete(id);
    }
  }

  dispose(error: Error): void {
    this.#post({ type: "dispose" });
    this.fail(error);
  }

  /** Rejects all pending and later calls with `error`. The first error counts. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
    this.#callbacks.clear();
  }

  #send(method: Method, values: readonly unknown[], onChunk: Pending["onChunk"]) {
    const id = this.#ids++;
    const { args, signal, callbacks } = detach(values);
    const abort = () => this.#post({ type: "abort", id });
    const result = new Promise<unknown>((resolve, reject) => {
      if (this.#failure) throw this.#failure;
      // Posted first: this throws if an argument cannot be cloned.
      this.#post({ type: "call", id, method, args });
      this.#pending.set(id, { signal, onChunk, resolve, reject });
      if (args.callbacks.length > 0) this.#callbacks.set(id, callbacks);
      signal?.addEventListener("abort", abort);
    }).finally(() => signal?.removeEventListener("abort", abort));
    return { id, result };
  }

  #receive(reply: Reply): void {
    if (reply.type === "callback") this.#callbacks.get(reply.id)?.[reply.name]?.(...reply.values);
    const pending = this.#pending.get(reply.id);
    if (!pending || reply.type === "callback") return;
    if (reply.type === "chunk") pending.onChunk(reply.chunk);
    else {
      this.#pending.delete(reply.id);
      if (reply.type === "result") pending.resolve(reply.value);
      else pending.reject(reply.error ? reviveError(reply.error) : pending.signal?.reason);
    }
  }

  #post(request: Request): void {
    this.#port.postMessage(request);
  }
}

/** Separates signal and functions, which cannot be cloned, from a call's options, its last argument. */
function detach(values: readonly unknown[]): {
  readonly args: Arguments;
  readonly signal: AbortSignal | undefined;
  readonly callbacks: Readonly<Record<string, Callback>>;
} {
  const last = values.at(-1);
  if (!isPlain(last))
    return { args: { values, signal: "none", callbacks: [] }, signal: undefined, callbacks: {} };
  checkOptions("options", { signal: (last as { readonly signal?: unknown }).signal }, { signal: signalRule });
  const { signal, ...options } = last as { readonly signal?: AbortSignal };
  const isFunction = ([, value]: [string, unknown]) => typeof value === "function";
  const callbacks = Object.fromEntries(Object.entries<Callback>(options).filter(isFunction));
  const plain = Object.fromEntries(Object.entries(options).filter((entry) => !isFunction(entry)));
  return {
    args: {
      values: [...values.slice(0, -1), plain],
      signal: signal ? (signal.aborted ? "aborted" : "live") : "none",
      callbacks: Object.keys(callbacks),
    },
    signal,
    callbacks,
  };
}
