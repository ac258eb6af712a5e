import { lazyShaders } from "./kernel.ts";

/** A file of tuned-shaders.ts. */
export const tunedShader = lazyShaders(() => import("./tuned-shaders.ts"));
