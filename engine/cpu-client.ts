// The device that computes on the CPU, in a browser: its threads are workers.
import { openCpu } from "./cpu/open.ts";
import type { Port } from "./cpu/threads.ts";
import { DeviceError } from "./errors.ts";
import type { Gpu } from "./gpu/gpu.ts";
import { MAX_THREADS } from "./options/defaults.ts";
import { foreignWorker } from "./worker/foreign-worker.ts";

/** Half of the logical processors: a browser does not say how many cores they are, nor which are slow. */
const defaultThreads = (): number =>
  Math.min(MAX_THREADS, Math.max(1, Math.floor((navigator.hardwareConcurrency || 2) / 2)));

/**
 * Threads share memory, which only an isolated page may: https://web.dev/articles/coop-coep. Deno always may,
 * and does not say so.
 *
 * @param threads more than one only where memory may be shared; 0: the caller's own
 * thread
 */
export async function openBrowserCpu(threads = defaultThreads()): Promise<Gpu> {
  const mayShare = (globalThis as { readonly crossOriginIsolated?: boolean }).crossOriginIsolated ?? true;
  return openCpu(await openPorts(mayShare ? threads : Math.min(threads, 1)));
}

/** @throws DeviceError if no worker starts on a page, which must not stand still; a worker computes itself */
async function openPorts(count: number): Promise<Port[]> {
  const opened = await Promise.allSettled(Array.from({ length: count }, openPort));
  const ports = opened.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const failed = opened.find((each) => each.status === "rejected");
  if (!failed) return ports;
  for (const port of ports) port.end();
  if (!("document" in globalThis)) return [];
  const got = failed.reason instanceof Error ? failed.reason.message : String(failed.reason);
  throw new DeviceError(
    `CPU worker: expected it to run, got ${got || "no script that runs"}. Serve cpu-worker.js beside the other files, allow it in worker-src of a Content-Security-Policy, or pass threads: 0.`,
    { code: "no-worker", cause: failed.reason },
  );
}

async function openPort(): Promise<Port> {
  const worker = startWorker();
  await new Promise<void>((resolve, reject) => {
    worker.addEventListener("message", () => resolve(), { once: true });
    worker.addEventListener("error", (event) => {
      worker.terminate();
      reject(new Error((event as ErrorEvent).message));
    });
  });
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen: (onMessage, onFailure) => {
      worker.addEventListener("message", ({ data }) => onMessage(data));
      worker.addEventListener("error", (event) => onFailure(event.message || "a worker ended"));
      worker.addEventListener("messageerror", () => onFailure("a message could not be read"));
    },
    await: () => {},
    end: () => worker.terminate(),
  };
}

function startWorker(): Worker {
  const here = import.meta.url;
  if ("location" in globalThis && globalThis.location && new URL(here).origin !== location.origin)
    return foreignWorker(new URL("./cpu-worker.js", here), "sirocco cpu");
  // Bundlers look for exactly this expression. In the sources, the name stands for cpu-worker.ts.
  return new Worker(new URL("./cpu-worker.js", import.meta.url), { type: "module", name: "sirocco cpu" });
}
