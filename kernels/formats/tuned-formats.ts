// As ../tuned-shaders.ts, the files that read a format.
export { default as nibblesStream } from "./nibbles-stream.wgsl?raw";
export { default as nibblesWide } from "./nibbles-wide.wgsl?raw";
export { default as q4Int8 } from "./q4-int8.wgsl?raw";
export { default as q4Stream } from "./q4-stream.wgsl?raw";
export { default as q4Wide } from "./q4-wide.wgsl?raw";
export { default as q8Int8 } from "./q8-int8.wgsl?raw";
export { default as q8Stream } from "./q8-stream.wgsl?raw";
export { default as q8Wide } from "./q8-wide.wgsl?raw";
export { default as stream } from "./stream.wgsl?raw";
export { default as wide } from "./wide.wgsl?raw";
