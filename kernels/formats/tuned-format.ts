import type { ShaderFile } from "../kernel.ts";

type Name = keyof typeof import("./tuned-formats.ts");

/** A file of tuned-formats.ts, loaded when a pipeline needs it. */
export const tunedFormat =
  (name: Name): ShaderFile =>
  async () =>
    (await import("./tuned-formats.ts"))[name];
