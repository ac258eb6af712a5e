// The module worker that hashes one file while a model loads: see hash-client.ts.
import type { FileHash } from "../weights/integrity/file-hash.ts";
import { openLocalHash } from "../weights/integrity/local-hash.ts";
import type { HashAnswer, HashRequest } from "./worker/hash-protocol.ts";

let hash: FileHash | undefined;
let last: Promise<void> = Promise.resolve();

// One request after the other, in the order in which they came.
addEventListener("message", ({ data }: MessageEvent<HashRequest>) => {
  last = last.then(async () => postMessage(await answer(data)));
  // An unhandled rejection stays in the worker; an error reaches the load that waits for the answer.
  last.catch((error: unknown) =>
    setTimeout(() => {
      throw error;
    }),
  );
});

async function answer(request: HashRequest): Promise<HashAnswer> {
  if (request.type === "open") hash = await openLocalHash(request.state, request.length);
  if (request.type === "update") await hash?.update(request.bytes);
  if (request.type === "state") return hash?.state();
  return request.type === "digest" ? hash?.digest() : undefined;
}
