// Threads of the CPU device in Node.
import { Worker } from "node:worker_threads";
import type { Port } from "./threads.ts";

/** Starts a thread. It keeps the process alive only while an answer is awaited. */
export function openNodePort(): Port {
  const worker = new Worker(new URL("../cpu-thread.js", import.meta.url), {
    name: "sirocco cpu",
    // Not the program's: with --input-type a worker does not start.
    execArgv: [],
  });
  let ended = false;
  let failure: string | undefined;
  let report: ((reason: string) => void) | undefined;
  const fail = (reason: string): void => {
    if (ended) return;
    failure ??= reason;
    report?.(reason);
  };
  worker.on("error", (error) => fail(error.message));
  worker.on("exit", (code) => fail(`a thread ended with code ${code}`));
  worker.unref();
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen: (onMessage, onFailure) => {
      report = onFailure;
      if (failure !== undefined) queueMicrotask(() => fail(failure!));
      worker.on("message", onMessage);
      // A listener for messages keeps the process alive.
      worker.unref();
    },
    await: (awaited) => {
      if (awaited) worker.ref();
      else worker.unref();
    },
    end: () => {
      ended = true;
      void worker.terminate();
    },
  };
}
