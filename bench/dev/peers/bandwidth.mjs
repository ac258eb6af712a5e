// Child process and its threads: how fast plain loops in WebAssembly read memory, one on each thread. It is
// the yardstick of decode.
import { readFileSync } from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import wabt from "wabt";
import { answer } from "./child.mjs";

/** Of all threads together: more than the caches of a processor hold. */
const BYTES = 2 ** 29;
const PAGE = 2 ** 16;
const PASSES = 5;

if (isMainThread) {
  await answer(async (/** @type {{ threads: number }} */ { threads }) => {
    const text = readFileSync(new URL("sum.wat", import.meta.url), "utf8");
    const code = (await wabt()).parseWat("sum.wat", text).toBinary({}).buffer;
    const bytes = Math.ceil(BYTES / threads / PAGE) * PAGE;
    const workers = Array.from(
      { length: threads },
      () => new Worker(new URL(import.meta.url), { workerData: { code, bytes } }),
    );
    const answers = () =>
      Promise.all(workers.map((worker) => new Promise((resolve) => worker.once("message", resolve))));
    await answers();
    let most = 0;
    for (let pass = 0; pass < PASSES; pass++) {
      const began = performance.now();
      for (const worker of workers) worker.postMessage("read");
      await answers();
      most = Math.max(most, (threads * bytes) / ((performance.now() - began) / 1000));
    }
    return most;
  });
} else {
  const { code, bytes } = workerData;
  const memory = new WebAssembly.Memory({ initial: bytes / PAGE });
  const { instance } = await WebAssembly.instantiate(code, { env: { memory } });
  // Memory that was never written is one page of zeros, again and again.
  new Uint8Array(memory.buffer).fill(1);
  const { sum } = /** @type {{ sum: (at: number, end: number) => bigint }} */ (instance.exports);
  sum(0, bytes);
  parentPort?.on("message", () => parentPort?.postMessage(sum(0, bytes)));
  parentPort?.postMessage("ready");
}
