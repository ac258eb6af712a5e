// The module worker of `loadModelInWorker`. Your own worker may import it and do other work beside it.
// It does not import index.ts, which starts this worker: bundlers would loop.
import { fileSource } from "../weights/index.ts";
import { loadModel } from "./browser-platform.ts";
import type { Opening } from "./worker/protocol.ts";
import { serve } from "./worker/server.ts";

addEventListener("message", ({ data }: MessageEvent<Partial<Opening> | undefined>) => {
  if (data?.type !== "sirocco" || !data.port) return;
  serve(data.port, (source, options) =>
    loadModel(typeof source === "object" ? fileSource(source) : source, options),
  );
});
