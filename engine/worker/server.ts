// The worker's end of a port: loads one model, and runs the calls of the page on it.
import type { LoadOptions, Model } from "../api.ts";
import { Gate } from "../gate.ts";
import { recordError } from "./errors.ts";
import {
  type Arguments,
  CALLS,
  CHUNKS_AHEAD,
  type Method,
  type ModelFacts,
  type Reply,
  type Request,
  STREAMS,
  type StreamName,
} from "./protocol.ts";

export type Load = (
  source: string | readonly File[] | undefined,
  options: LoadOptions | undefined,
) => Promise<Model>;

/** A running call. */
class Task {
  readonly controller = new AbortController();
  #credits = CHUNKS_AHEAD;
  #left = false;
  readonly #changed = new Gate();

  /** Waits until one more chunk may be made. @returns false if nobody reads the stream any more */
  async mayContinue(): Promise<boolean> {
    while (this.#credits === 0 && !this.#left) await this.#changed.next();
    this.#credits--;
    return !this.#left;
  }

  taken(): void {
    this.#credits++;
    this.#changed.open();
  }

  leave(): void {
    this.#left = true;
    this.#changed.open();
  }
}

export function serve(port: MessagePort, load: Load): void {
  const tasks = new Map<number, Task>();
  const post = (reply: Reply) => port.postMessage(reply);
  let model: Model | undefined;
  let disposed = false;

  async function run(id: number, method: Method, sent: Arguments, task: Task): Promise<unknown> {
    const args = revive(sent, task.controller, (name, values) =>
      post({ type: "callback", id, name, values }),
    );
    if (method === "load") {
      const [source, options] = args as Parameters<Load>;
      model = await load(source, options);
      // The page may have disposed of it meanwhile.
      if (disposed) model.dispose();
      const { config, plan, adapter, contextLength, adapters } = model;
      return { config, plan, adapter, contextLength, adapters } satisfies ModelFacts;
    }
    // The page makes no call before it has the model.
    const called = model as unknown as Record<Method, (...args: readonly unknown[]) => unknown>;
    if (!isStream(method)) {
      if (!CALLS.includes(method)) throw new TypeError(`worker: expected a method of Model, got ${method}.`);
      return called[method](...args);
    }
    const answer = called[method](...args) as ReturnType<Model[StreamName]>;
    try {
      while (await task.mayContinue()) {
        const { value, done } = await answer.next();
        if (done) break;
        post({ type: "chunk", id, chunk: value });
      }
      return undefined;
    } finally {
      await answer.return();
    }
  }

  async function answer({ id, method, args }: Request & { readonly type: "call" }): Promise<void> {
    const task = new Task();
    tasks.set(id, task);
    try {
      post({ type: "result", id, value: await run(id, method, args, task) });
    } catch (error) {
      const { signal } = task.controller;
      const byCaller = signal.aborted && error === signal.reason;
      post({ type: "failure", id, error: byCaller ? undefined : recordError(error) });
    } finally {
      tasks.delete(id);
    }
  }

  port.addEventListener("message", ({ data }: MessageEvent<Request>) => {
    if (data.type === "call") void answer(data);
    else if (data.type === "abort") tasks.get(data.id)?.controller.abort();
    else if (data.type === "taken") tasks.get(data.id)?.taken();
    else if (data.type === "left") tasks.get(data.id)?.leave();
    else {
      disposed = true;
      for (const task of tasks.values()) task.leave();
      model?.dispose();
      port.close();
    }
  });
  port.start();
}

const isStream = (method: string): method is StreamName => STREAMS.some((name) => name === method);

/** Puts signal and functions back into the options. */
function revive(
  { values, signal, callbacks }: Arguments,
  controller: AbortController,
  call: (name: string, values: readonly unknown[]) => void,
): readonly unknown[] {
  if (signal === "none" && callbacks.length === 0) return values;
  if (signal === "aborted") controller.abort();
  const functions = callbacks.map((name) => [name, (...args: unknown[]) => call(name, args)] as const);
  const options = {
    ...(values.at(-1) as object),
    ...(signal !== "none" && { signal: controller.signal }),
    ...Object.fromEntries(functions),
  };
  return [...values.slice(0, -1), options];
}
