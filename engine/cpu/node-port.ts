// Threads of the CPU device in Node.
import { Worker } from "node:worker_threads";
import type { Port } from "./threads.ts";

/** Starts a thread. It keeps the process alive only while an answer is awaited. */
export function openNodePort(): Port {
  const worker = new Worker(new URL("../cpu-thread.js", import.meta.url), { name: "sirocco cpu" });
  worker.unref();
  let ended = false;
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen: (onMessage, onFailure) => {
      worker.on("message", onMessage);
      worker.on("error", (error) => onFailure(error.message));
      worker.on("exit", (code) => {
        if (!ended) onFailure(`a thread ended with code ${code}`);
      });
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
