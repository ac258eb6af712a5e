// Writes a random checkpoint as GPTQ stores it: symmetric, 4 bits, groups of 128, in act-order or not.
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { configOf, headerOf, sizeOf, tensorsOf } from "./mistral.mjs";

const GROUP = 128;

/**
 * @param {string} folder
 * @param {import("./mistral.mjs").Shape} shape
 * @param {boolean} actOrder whether columns belong to groups in a random order, one for each input
 */
export function writeGptq(folder, shape, actOrder) {
  mkdirSync(folder, { recursive: true });
  const quantization_config = {
    ...{ quant_method: "gptq", bits: 4, group_size: GROUP, sym: true, desc_act: actOrder },
    checkpoint_format: "gptq",
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify({ ...configOf(shape), quantization_config }));
  const tensors = tensorsOf(shape).flatMap(({ name, shape: [N = 0, K = 0] }) => {
    if (!name.includes("_proj")) return [{ name, dtype: "BF16", shape: K ? [N, K] : [N], bytes: 2 }];
    const module = name.replace(/\.weight$/, "");
    return [
      { name: `${module}.qweight`, dtype: "I32", shape: [K / 8, N], bytes: 4 },
      { name: `${module}.qzeros`, dtype: "I32", shape: [K / GROUP, N / 8], bytes: 4 },
      { name: `${module}.scales`, dtype: "F16", shape: [K / GROUP, N], bytes: 2 },
      { name: `${module}.g_idx`, dtype: "I32", shape: [K], bytes: 4 },
    ];
  });
  const file = openSync(join(folder, "model.safetensors"), "w");
  writeSync(file, headerOf(tensors));
  /** @type {Map<number, Int32Array>} */
  const orders = new Map();
  for (const tensor of tensors) writeSync(file, dataOf(tensor, actOrder, orders));
  closeSync(file);
}

/**
 * @param {{ name: string, shape: number[] }} tensor
 * @param {boolean} actOrder
 * @param {Map<number, Int32Array>} orders by width
 */
function dataOf(tensor, actOrder, orders) {
  const { name, shape } = tensor;
  const length = sizeOf(tensor);
  if (name.endsWith(".g_idx")) {
    const K = shape[0] ?? 0;
    const order = orders.get(K) ?? groupIndex(K, actOrder);
    orders.set(K, order);
    return order;
  }
  if (name.endsWith(".qzeros")) return new Int32Array(length).fill(0x77777777);
  // 1 in bf16; 2^-6 in f16; numbers of either sign around 1 in bf16.
  if (name.includes("norm")) return new Uint16Array(length).fill(0x3f80);
  if (name.endsWith(".scales")) return new Uint16Array(length).fill(0x2400);
  if (name.endsWith(".qweight")) return Int32Array.from({ length }, () => Math.random() * 2 ** 32);
  return Uint16Array.from(
    { length },
    () => 0x3f00 + Math.random() * 0x80 + (Math.random() < 0.5 ? 0x8000 : 0),
  );
}

function groupIndex(/** @type {number} */ K, /** @type {boolean} */ shuffled) {
  const groups = Int32Array.from({ length: K }, (_, k) => Math.floor(k / GROUP));
  for (let k = K - 1; shuffled && k > 0; k--) {
    const other = Math.floor(Math.random() * (k + 1));
    [groups[k], groups[other]] = [groups[other] ?? 0, groups[k] ?? 0];
  }
  return groups;
}
