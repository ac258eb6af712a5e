// The files that read q4a, q4a64 and q4a128: most pages load no such model.

export { default as read } from "./q4a.wgsl?raw";
export { default as stream } from "./q4a-stream.wgsl?raw";
export { default as wide } from "./q4a-wide.wgsl?raw";
