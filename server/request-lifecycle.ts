// One request and its answer, from the first header to the last byte: what may end it, and what is told of it afterwards.
import { setMaxListeners } from "node:events";
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import { HttpError } from "./errors.ts";

/** What Hono's contexts hold here. Without a socket (in tests) there are no bindings. */
export interface Env {
  Bindings: Partial<HttpBindings>;
  Variables: { lifecycle: RequestLifecycle };
}

export type Ctx = Context<Env>;

/** Nobody is left to be answered; the status, for log and figures, is nginx's. */
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
  /** Milliseconds in line, of the answer that waited longest. */
  queueMs = 0;
  /** Milliseconds to the first token. */
  ttftMs: number | undefined;
  /** For the log. */
  prompt: unknown;
  error: string | undefined;
  /** What was changed of a conversation so that the chat template takes it. */
  warnings: readonly string[] | undefined;
  readonly #controller = new AbortController();
  /** Resolves when the answer has been handed over, however it ended. */
  readonly ended: Promise<void>;
  readonly #endings: (() => void)[] = [];
  #streaming: Promise<void> | undefined;

  /** @param client aborted when the client goes away */
  constructor(id: string, method: string, client: AbortSignal) {
    this.id = id;
    this.method = method;
    this.ended = new Promise((resolve) => this.onEnd(resolve));
    // Each answer of a request listens.
    setMaxListeners(0, this.signal);
    if (client.aborted) this.leave();
    else client.addEventListener("abort", () => this.leave(), { once: true });
  }

  /** Aborted when nobody waits for the answer any more, or the server ends. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get gone(): boolean {
    return this.signal.reason instanceof ClientGone;
  }

  /** Nobody reads on. */
  leave(): void {
    this.abort(new ClientGone());
  }

  abort(reason: Error): void {
    this.#controller.abort(reason);
  }

  /** The answer goes on after its handler has returned, until `done`. */
  streamUntil(done: Promise<void>): void {
    this.#streaming = done;
  }

  /** Called when the answer has ended, however it did. */
  onEnd(ending: () => void): void {
    this.#endings.push(ending);
  }

  /** Waits for the end of a stream, then runs the endings. */
  async end(): Promise<void> {
    await this.#streaming?.catch(() => {});
    for (const ending of this.#endings) ending();
  }
}
