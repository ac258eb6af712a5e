import { lazyShaders } from "../kernel.ts";

/** A file of quantise-shaders.ts. */
export const quantiseShader = lazyShaders(() => import("./quantise-shaders.ts"));
