// As ../tuned-shaders.ts, the files that quantise weights.
export { default as search } from "./quantise.wgsl?raw";
export { default as q4 } from "./write-q4.wgsl?raw";
export { default as q8 } from "./write-q8.wgsl?raw";
