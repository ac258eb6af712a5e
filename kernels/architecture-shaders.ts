// WGSL files of models with biases, normalised heads, or columns in act-order. Others do not fetch them.

export { default as gather } from "./gather.wgsl?raw";
export { default as qkNorm } from "./qk-norm.wgsl?raw";
export { default as addendBias } from "./snippets/addend-bias.wgsl?raw";
export { default as addendDelta } from "./snippets/addend-delta.wgsl?raw";
export { default as gatherNorm } from "./snippets/gather-norm.wgsl?raw";
export { default as gatherPlain } from "./snippets/gather-plain.wgsl?raw";
