// One request and its response, from the first header to the last byte: what ends it, and what the log says
// about it.
import { setMaxListeners } from "node:events";
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import { HttpError } from "./errors.ts";

/** Types of Hono's context here. Without a socket (in tests) there are no bindings. */
export interface Env {
  Bindings: Partial<HttpBindings>;
  Variables: { lifecycle: RequestLifecycle };
}

export type Ctx = Context<Env>;

/** The client closed the connection. 499, for log and metrics, is nginx's status for it. */
class ClientGone extends HttpError {
  constructor() {
    super(499, "The client has gone.", { code: "client_gone" });
  }
}

export class RequestLifecycle {
  readonly id: string;
  readonly method: string;
  readonly began = performance.now();
  promptTokens = 0;
  cachedTokens = 0;
  completionTokens = 0;
  /** Milliseconds in the queue, of the answer that waited longest. */
  queueMs = 0;
  /** Milliseconds to the first token. */
  ttftMs: number | undefined;
  /** For the log, if prompts are logged. */
  prompt: unknown;
  error: string | undefined;
  /** Changes made to the conversation so that the chat template accepts it. */
  warnings: readonly string[] | undefined;
  readonly #controller = new AbortController();
  /** Resolves when the response is complete or has failed. */
  readonly ended: Promise<void>;
  readonly #endings: (() => void)[] = [];
  #streaming: Promise<void> | undefined;

  /** @param client aborted when the client goes away */
  constructor(id: string, method: string, client: AbortSignal) {
    this.id = id;
    this.method = method;
    this.ended = new Promise((resolve) => this.onEnd(resolve));
    // Every answer of the request adds a listener.
    setMaxListeners(0, this.signal);
    if (client.aborted) this.leave();
    else client.addEventListener("abort", () => this.leave(), { once: true });
  }

  /** Aborted when the client disconnects or the server shuts down. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get gone(): boolean {
    return this.signal.reason instanceof ClientGone;
  }

  /** The client has disconnected. */
  leave(): void {
    this.abort(new ClientGone());
  }

  abort(reason: Error): void {
    this.#controller.abort(reason);
  }

  /** For a stream: the response continues after its handler has returned, until `done`. */
  streamUntil(done: Promise<void>): void {
    this.#streaming = done;
  }

  /** `ending` is called when the response has ended, in any way. */
  onEnd(ending: () => void): void {
    this.#endings.push(ending);
  }

  /** Waits for the end of a stream, then calls the endings. */
  async end(): Promise<void> {
    await this.#streaming?.catch(() => {});
    for (const ending of this.#endings) ending();
  }
}
