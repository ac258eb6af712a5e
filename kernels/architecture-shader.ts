import { lazyShaders } from "./kernel.ts";

/** A file of architecture-shaders.ts. */
export const architectureShader = lazyShaders(() => import("./architecture-shaders.ts"));
