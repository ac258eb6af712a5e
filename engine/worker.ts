// The module worker of `loadModelInWorker`. A worker of your own may import it, too, beside what else it does.
import { fileSource, loadModel } from "./index.ts";
import type { Opening } from "./worker-protocol.ts";
import { serve } from "./worker-server.ts";

addEventListener("message", ({ data }: MessageEvent<Partial<Opening> | undefined>) => {
  if (data?.type !== "sirocco" || !data.port) return;
  serve(data.port, (source, options) =>
    loadModel(typeof source === "object" ? fileSource(source) : source, options),
  );
});
