// The files that read q4a, q4a64, q4a128 and q4k: most pages load no such model.

export { default as pairs } from "./pairs.wgsl?raw";
export { default as read } from "./q4a.wgsl?raw";
export { default as stream } from "./q4a-stream.wgsl?raw";
export { default as wide } from "./q4a-wide.wgsl?raw";
export { default as superPairs } from "./super-pairs.wgsl?raw";
