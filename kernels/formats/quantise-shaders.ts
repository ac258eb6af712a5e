// As ../tuned-shaders.ts, the files that quantise weights.
export { default as fixedPoint } from "./fixed-point.wgsl?raw";
export { default as search } from "./quantise.wgsl?raw";
export { default as searchPair } from "./quantise-pair.wgsl?raw";
export { default as q4 } from "./write-q4.wgsl?raw";
export { default as q4a } from "./write-q4a.wgsl?raw";
export { default as q8 } from "./write-q8.wgsl?raw";
