// As ../tuned-shaders.ts, the files that read and store a cache 16 bytes at a time.
export { default as f16Wide } from "./cache-f16-wide.wgsl?raw";
export { default as q8Wide } from "./cache-q8-wide.wgsl?raw";
export { default as chunk } from "./chunk.wgsl?raw";
export { default as storeF16Wide } from "./store-f16-wide.wgsl?raw";
export { default as storeQ8Wide } from "./store-q8-wide.wgsl?raw";
