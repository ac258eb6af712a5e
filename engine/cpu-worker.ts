// A thread of the CPU device in a browser: a module worker, see cpu-client.ts.
import { serveThread } from "./cpu/serve-thread.ts";

const take = serveThread((answer, transfer) => postMessage(answer, { transfer }));

addEventListener("message", ({ data }: MessageEvent<Parameters<typeof take>[0]>) => take(data));
// The script runs: whoever opened it waits for this.
postMessage("ready");
