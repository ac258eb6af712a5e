import type { ShaderFile } from "./kernel.ts";

type Name = keyof typeof import("./tuned-shaders.ts");

/** A file of tuned-shaders.ts, loaded when a pipeline needs it. */
export const tunedShader =
  (name: Name): ShaderFile =>
  async () =>
    (await import("./tuned-shaders.ts"))[name];
