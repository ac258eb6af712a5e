// The engines that are compared, their exact versions, and what Sirocco should reach beside them.

/**
 * @typedef {object} Engine
 * @property {string} name
 * @property {string} script of its child process
 * @property {string} file the model in its format
 * @property {Record<string, string>} packages to install, the main one first
 * @property {Record<string, string>} env
 * @property {number} [threads] on the CPU
 * @property {number} [sureIds] first ids that must equal ours (default: all)
 * @property {Record<"prefill" | "decode", number>} [goal] how many times its speed ours should be
 */
/** @typedef {Record<"safetensors" | "config" | "gguf" | "onnx", string>} Files */

const NODE_LLAMA_CPP = "3.22.1";
const ONNXRUNTIME = "1.30.0";
const TRANSFORMERS = "4.3.1";
const WLLAMA = "3.13.0";

const platform = `${process.platform}-${process.arch}`;

/**
 * Engines on a WebGPU or Vulkan adapter, ours first.
 * @param {string} version ours @param {Files} files
 * @param {{ name: string, env: Record<string, string> }} driver
 * @returns {Engine[]}
 */
export const onAdapter = (version, { safetensors, gguf, onnx }, { name, env }) => [
  { name: `sirocco ${version}`, script: "./sirocco.mjs", file: safetensors, packages: {}, env },
  {
    name: `onnxruntime-node ${ONNXRUNTIME}, WebGPU`,
    script: "./onnxruntime.mjs",
    file: onnx,
    packages: { "onnxruntime-node": ONNXRUNTIME },
    env,
    // Its activations have eight bits, so later ids may differ.
    sureIds: 1,
  },
  {
    name: `llama.cpp (node-llama-cpp ${NODE_LLAMA_CPP}), Vulkan`,
    script: "./llama-cpp.mjs",
    file: gguf,
    packages: {
      "node-llama-cpp": NODE_LLAMA_CPP,
      [`@node-llama-cpp/${platform}`]: NODE_LLAMA_CPP,
      [`@node-llama-cpp/${platform}-vulkan`]: NODE_LLAMA_CPP,
    },
    // It ignores software drivers unless they are named.
    env: name === "default" ? env : { ...env, GGML_VK_VISIBLE_DEVICES: "0" },
  },
];

/**
 * Engines on threads of the CPU, ours first. All round activations to eight bits, each in its own way, so
 * later ids may differ.
 * @param {string} version ours @param {Files} files @param {number} threads
 * @returns {Engine[]}
 */
export const onThreads = (version, { gguf, onnx }, threads) =>
  [
    { name: `sirocco ${version}`, script: "./sirocco.mjs", file: gguf, packages: {} },
    {
      name: `llama.cpp (node-llama-cpp ${NODE_LLAMA_CPP})`,
      script: "./llama-cpp.mjs",
      file: gguf,
      packages: {
        "node-llama-cpp": NODE_LLAMA_CPP,
        [`@node-llama-cpp/${platform}`]: NODE_LLAMA_CPP,
      },
      goal: { prefill: 0.35, decode: 0.7 },
    },
    {
      name: `onnxruntime-node ${ONNXRUNTIME}`,
      script: "./onnxruntime.mjs",
      file: onnx,
      packages: { "onnxruntime-node": ONNXRUNTIME },
    },
    {
      name: `transformers.js ${TRANSFORMERS}, Chromium`,
      script: "./transformers.mjs",
      file: onnx,
      packages: { "@huggingface/transformers": TRANSFORMERS },
    },
    {
      name: `wllama ${WLLAMA}, Chromium`,
      script: "./wllama.mjs",
      file: gguf,
      packages: { "@wllama/wllama": WLLAMA },
      goal: { prefill: 5, decode: 4 },
    },
  ].map((engine) => ({ ...engine, env: {}, threads, sureIds: 1 }));
