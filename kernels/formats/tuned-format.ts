import { lazyShaders } from "../kernel.ts";

/** A file of tuned-formats.ts. */
export const tunedFormat = lazyShaders(() => import("./tuned-formats.ts"));
