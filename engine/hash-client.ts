// A file's hash in a worker of its own: hashing and loading each have a thread.
import type { FileState, OpenFileHash } from "../weights/index.ts";
import { openLocalHash } from "../weights/integrity/local-hash.ts";
import { DeviceError } from "./errors.ts";
import { foreignWorker } from "./worker/foreign-worker.ts";
import type { HashAnswer, HashRequest } from "./worker/hash-protocol.ts";

/** Pieces that may wait in the worker: it always has one to hash, and few are in memory. */
const MAX_WAITING = 4;

/** Hashes in a worker, or on this thread if no worker starts. */
export const openWorkerHash: OpenFileHash = async (state, length = 0) => {
  let worker: HashWorker | undefined;
  try {
    worker = new HashWorker(startWorker());
    await worker.ask({ type: "open", state, length });
  } catch {
    worker?.close();
    return openLocalHash(state, length);
  }
  return worker.hash(length);
};

class HashWorker {
  readonly #worker: Worker;
  readonly #waiting: { resolve(answer: HashAnswer): void; reject(reason: Error): void }[] = [];
  #ended: DeviceError | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.addEventListener("message", ({ data }: MessageEvent<HashAnswer>) =>
      this.#waiting.shift()?.resolve(data),
    );
    const fail = (event: Event) => this.close((event as ErrorEvent).message || "no script that runs");
    worker.addEventListener("error", fail);
    worker.addEventListener("messageerror", fail);
  }

  ask(request: HashRequest, transfer: Transferable[] = []): Promise<HashAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#ended) throw this.#ended;
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(request, transfer);
    });
  }

  hash(start: number) {
    let length = start;
    const updates: Promise<HashAnswer>[] = [];
    return {
      get length() {
        return length;
      },
      update: async (bytes: Uint8Array) => {
        length += bytes.length;
        const copy = bytes.slice();
        const update = this.ask({ type: "update", bytes: copy }, [copy.buffer]);
        update.catch(() => {}); // An error is thrown where it is awaited, or by the digest.
        updates.push(update);
        if (updates.length > MAX_WAITING) await updates.shift();
      },
      state: () => this.ask({ type: "state" }) as Promise<FileState>,
      digest: () => this.ask({ type: "digest" }) as Promise<string>,
      close: () => this.close("the end of the load"),
    };
  }

  /** Ends the worker. What still waits for it fails. */
  close(got = "the end of it"): void {
    this.#worker.terminate();
    const message = `hash worker: expected it to run, got ${got}. Load again.`;
    this.#ended ??= new DeviceError(message, { code: "no-worker" });
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }
}

function startWorker(): Worker {
  const here = import.meta.url;
  if (new URL(here).origin !== location.origin)
    return foreignWorker(new URL("./hash-worker.js", here), "sirocco hash");
  // Bundlers look for exactly this expression. In the sources, the name stands for hash-worker.ts.
  return new Worker(new URL("./hash-worker.js", import.meta.url), { type: "module", name: "sirocco hash" });
}
