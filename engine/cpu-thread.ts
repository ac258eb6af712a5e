// A thread of the CPU device, in Node.
import { parentPort } from "node:worker_threads";
import { serveThread } from "./cpu/serve-thread.ts";

const port = parentPort!;
port.on(
  "message",
  serveThread((answer, transfer) => port.postMessage(answer, transfer)),
);
