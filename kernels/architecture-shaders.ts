// WGSL files of models with biases, normalised heads, or columns in act-order. Others do not fetch them.

export { default as gather } from "./gather.wgsl?raw";
export { default as qkNorm } from "./qk-norm.wgsl?raw";
export { default as addend } from "./snippets/addend.wgsl?raw";
export { default as gatherNorm } from "./snippets/gather-norm.wgsl?raw";
export { default as gatherPlain } from "./snippets/gather-plain.wgsl?raw";
