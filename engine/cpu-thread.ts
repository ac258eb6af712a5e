// A thread of the CPU device, in Node.
import { parentPort } from "node:worker_threads";
import { instantiate } from "./cpu/instantiate.ts";
import { serveThread } from "./cpu/serve-thread.ts";

const port = parentPort!;
port.on(
  "message",
  serveThread(instantiate, (answer, transfer) => port.postMessage(answer, transfer)),
);
