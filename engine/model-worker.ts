// The module worker of `loadModelInWorker`. A worker of your own may import it, too, beside what else it does.
// Not the entry point: that starts this very worker, and bundlers would go round in circles.
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
