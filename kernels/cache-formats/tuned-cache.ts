import type { ShaderFile } from "../kernel.ts";

type Name = keyof typeof import("./tuned-caches.ts");

/** A file of tuned-caches.ts, loaded when a pipeline needs it. */
export const tunedCache =
  (name: Name): ShaderFile =>
  async () =>
    (await import("./tuned-caches.ts"))[name];
