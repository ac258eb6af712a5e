// `npm run bench -- two-layers`: makes a checkpoint of Mistral 7B's exact shapes cut to two layers (1.4 GB of seeded
// random bf16 in two shards, in a temporary folder), loads it as q4, generates, prints host memory, and cleans up.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadModel } from "sirocco";

const LAYERS = 2;
const config = {
  architectures: ["MistralForCausalLM"],
  model_type: "mistral",
  hidden_act: "silu",
  hidden_size: 4096,
  intermediate_size: 14336,
  num_attention_heads: 32,
  num_hidden_layers: LAYERS,
  num_key_value_heads: 8,
  max_position_embeddings: 32768,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  sliding_window: 4096,
  tie_word_embeddings: false,
  torch_dtype: "bfloat16",
  vocab_size: 32000,
  bos_token_id: 1,
  eos_token_id: 2,
};

/** @typedef {[name: string, shape: number[]]} Tensor */

/** @returns {Tensor[]} */
const layer = (/** @type {number} */ i) => {
  const name = `model.layers.${i}`;
  return [
    [`${name}.input_layernorm.weight`, [4096]],
    [`${name}.mlp.down_proj.weight`, [4096, 14336]],
    [`${name}.mlp.gate_proj.weight`, [14336, 4096]],
    [`${name}.mlp.up_proj.weight`, [14336, 4096]],
    [`${name}.post_attention_layernorm.weight`, [4096]],
    [`${name}.self_attn.k_proj.weight`, [1024, 4096]],
    [`${name}.self_attn.o_proj.weight`, [4096, 4096]],
    [`${name}.self_attn.q_proj.weight`, [4096, 4096]],
    [`${name}.self_attn.v_proj.weight`, [1024, 4096]],
  ];
};
/** @type {Record<string, Tensor[]>} */
const shards = {
  "model-00001-of-00002.safetensors": [["model.embed_tokens.weight", [32000, 4096]], ...layer(0)],
  "model-00002-of-00002.safetensors": [
    ...layer(1),
    ["model.norm.weight", [4096]],
    ["lm_head.weight", [32000, 4096]],
  ],
};

/** A block of random bf16 of about the size of trained weights, ±[1/64, 1/32); xorshift32 from a fixed seed. */
function randomBlock(/** @type {number} */ values) {
  const block = new Uint16Array(values);
  let state = 0x9e3779b9;
  for (let i = 0; i < values; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    block[i] = (state & 0x8000) | 0x3c80 | (state & 0x7f);
  }
  return new Uint8Array(block.buffer);
}

/** @returns {number} bytes of the tensors */
function writeShard(
  /** @type {string} */ path,
  /** @type {Tensor[]} */ tensors,
  /** @type {Uint8Array} */ block,
) {
  let at = 0;
  /** @type {Record<string, object>} */
  const header = { __metadata__: { format: "pt" } };
  for (const [name, shape] of tensors) {
    const bytes = 2 * shape.reduce((a, b) => a * b);
    header[name] = { dtype: "BF16", shape, data_offsets: [at, at + bytes] };
    at += bytes;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = openSync(path, "wx");
  writeSync(file, length);
  writeSync(file, json);
  // Where the block begins is different for every write, so that no two rows are alike.
  for (let left = at, turn = 0; left > 0; turn++) {
    const start = (turn * 2 * 7919) % (block.length / 2);
    const piece = block.subarray(start, start + Math.min(left, block.length - start));
    writeSync(file, piece);
    left -= piece.length;
  }
  closeSync(file);
  return at;
}

const mib = (/** @type {number} */ bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
const folder = mkdtempSync(join(tmpdir(), "sirocco-two-layers-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));

let stored = 0;
{
  const block = randomBlock(2 ** 22);
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  for (const [name, tensors] of Object.entries(shards))
    stored += writeShard(join(folder, name), tensors, block);
  const weight_map = Object.fromEntries(
    Object.entries(shards).flatMap(([name, tensors]) => tensors.map(([tensor]) => [tensor, name])),
  );
  writeFileSync(
    join(folder, "model.safetensors.index.json"),
    JSON.stringify({ metadata: { total_size: stored }, weight_map }),
  );
}
console.log(
  `checkpoint: Mistral 7B's shapes with ${LAYERS} layers, ${mib(stored)} of bf16 in ${Object.keys(shards).length} shards`,
);

// Idle: the engine is loaded and the driver has run once.
const warm = await loadModel();
await warm.logits([1]);
const adapter = warm.adapter.name;
warm.dispose();
globalThis.gc?.();
const idle = process.memoryUsage().rss;

// A software driver keeps GPU buffers in this process: what has been written to them so far is no host memory of ours.
let peak = 0;
let resident = 0;
const watch = () => {
  peak = Math.max(peak, process.memoryUsage().rss - idle - resident);
};
const software = /llvmpipe|swiftshader/i.test(adapter);
const timer = setInterval(watch, 20);
const began = performance.now();
const model = await loadModel(folder, {
  weights: "q4",
  onProgress: ({ loaded }) => {
    watch();
    // 4.5 bits a weight of what was 16.
    if (software) resident = (loaded * 4.5) / 16;
  },
});
clearInterval(timer);
const { plan } = model;
const seconds = (performance.now() - began) / 1000;
console.log(
  `loaded as q4 on ${adapter} in ${seconds.toFixed(1)} s, ${mib(stored / seconds)}/s; resident weights ${mib(plan.weightBytes)}`,
);
console.log(`host memory above idle and GPU buffers while loading: at most ${mib(peak)} (bound: 256 MiB)`);

const ids = [];
let decodeMs = 0;
for await (const chunk of model.generate([1, 415, 5059, 349], { maxTokens: 8, ignoreEos: true })) {
  ids.push(...chunk.ids);
  decodeMs = chunk.finish?.decodeMs ?? decodeMs;
}
console.log(`generated ${ids.length} tokens: ${ids.join(" ")}`);
console.log(`decode ${((ids.length - 1) / (decodeMs / 1000)).toFixed(2)} tokens/s`);
model.dispose();
if (peak > 256 * 2 ** 20 || ids.length !== 8) process.exitCode = 1;
