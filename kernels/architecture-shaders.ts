// WGSL files of models with biases, or whose heads are normalised. Others do not fetch them.

export { default as qkNorm } from "./qk-norm.wgsl?raw";
export { default as addend } from "./snippets/addend.wgsl?raw";
