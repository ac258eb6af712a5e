// What to write of a model: its tensors as other programs name them, in shards with an index.
import type { ModelConfig } from "../model-config.ts";
import type { RequiredTensor } from "../tensors.ts";
import { numbersIn } from "./check-tensors.ts";
import { INDEX_FILE, requiredTensors, SINGLE_FILE } from "./names.ts";
import type { TensorToWrite } from "./writer.ts";

/** A tensor of the files. */
export interface WrittenTensor extends TensorToWrite {
  /** The model's tensors that it holds, one below the other. */
  readonly parts: readonly string[];
  readonly bytes: number;
}

/** A file of tensors, in this order. */
export interface Shard {
  readonly file: string;
  readonly tensors: readonly WrittenTensor[];
}

/** Phi-3 has one matrix where others have several. By the first of them, its name and how many follow. */
const FUSED: Readonly<Record<string, readonly [name: string, others: readonly string[]]>> = {
  qProj: ["qkv_proj", ["kProj", "vProj"]],
  gateProj: ["gate_up_proj", ["upProj"]],
};

/** All tensors of a model in bf16, as its architecture names them. */
export function tensorsToWrite(config: ModelConfig): WrittenTensor[] {
  const required = requiredTensors(config);
  const fuses = config.architecture === "Phi3ForCausalLM";
  const later = new Set(fuses ? Object.values(FUSED).flatMap(([, others]) => others) : []);
  return required
    .filter(({ role }) => !later.has(role))
    .map((first): WrittenTensor => {
      const [fused, others = []] = (fuses && FUSED[first.role]) || [];
      const below = required.filter(({ role, layer }) => layer === first.layer && others.includes(role));
      const parts: readonly RequiredTensor[] = [first, ...below];
      const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
      return {
        name: fused ? first.name.replace(/\w+(?=\.weight$)/, fused) : first.name,
        dtype: "BF16",
        shape: [rows, ...first.shape.slice(1)],
        parts: parts.map(({ name }) => name),
        bytes: 2 * numbersIn(parts),
      };
    });
}

/** Files of at most `maxBytes`, unless one tensor is larger; and the index, if there are several. */
export function shardsOf(
  tensors: readonly WrittenTensor[],
  maxBytes: number,
): {
  readonly shards: readonly Shard[];
  /** Of all tensors. */
  readonly bytes: number;
  readonly index: { readonly file: string; readonly json: object } | undefined;
} {
  const groups: WrittenTensor[][] = [];
  let bytes = 0;
  let total = 0;
  for (const tensor of tensors) {
    const size = tensor.bytes;
    const last = groups.at(-1);
    if (last && bytes + size <= maxBytes) last.push(tensor);
    else groups.push([tensor]);
    bytes = last && bytes + size <= maxBytes ? bytes + size : size;
    total += size;
  }
  const number = (n: number): string => `${n}`.padStart(5, "0");
  const nameOf = (i: number): string =>
    groups.length === 1 ? SINGLE_FILE : `model-${number(i + 1)}-of-${number(groups.length)}.safetensors`;
  const shards = groups.map((group, i) => ({ file: nameOf(i), tensors: group }));
  const weightMap = Object.fromEntries(
    shards.flatMap(({ file, tensors }) => tensors.map(({ name }) => [name, file])),
  );
  const json = { metadata: { total_size: total }, weight_map: weightMap };
  return { shards, bytes: total, index: groups.length > 1 ? { file: INDEX_FILE, json } : undefined };
}
