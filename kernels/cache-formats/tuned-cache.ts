import { lazyShaders } from "../kernel.ts";

/** A file of tuned-caches.ts. */
export const tunedCache = lazyShaders(() => import("./tuned-caches.ts"));
