// The first layer's attention weights from the checkpoint alone, in float64: embedding, norm, q and k, RoPE,
// softmax.
import { readFileSync } from "node:fs";
import type { ModelConfig } from "../../weights/index.ts";

type Vector = number[];

/** A bf16 tensor of a one-file checkpoint. */
function tensor(file: Buffer, name: string): Vector {
  const headerBytes = Number(file.readBigUInt64LE());
  const { dtype, data_offsets } = JSON.parse(file.toString("utf8", 8, 8 + headerBytes))[name];
  if (dtype !== "BF16") throw new Error(`${name}: expected BF16, got ${dtype}.`);
  const [start, end] = data_offsets as [number, number];
  const word = Buffer.alloc(4);
  return Array.from({ length: (end - start) / 2 }, (_, i) => {
    file.copy(word, 2, 8 + headerBytes + start + 2 * i, 8 + headerBytes + start + 2 * i + 2);
    return word.readFloatLE();
  });
}

const dot = (a: Vector, b: Vector): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Rotate-half: entries i and i + d/2 turn by position · theta^(−2i/d). */
function rotate(head: Vector, position: number, theta: number): Vector {
  const half = head.length / 2;
  return head.map((value, i) => {
    const angle = position * theta ** (-(i % half) / half);
    const other = i < half ? -head[i + half]! : head[i - half]!;
    return value * Math.cos(angle) + other * Math.sin(angle);
  });
}

/** A row per query head over the positions that the last of `ids` sees. */
export function firstLayerAttention(
  folder: string,
  { D, H, G, d, W, eps, ropeTheta }: ModelConfig,
  ids: readonly number[],
): Vector[] {
  const file = readFileSync(`${folder}/model.safetensors`);
  const embedding = tensor(file, "model.embed_tokens.weight");
  const gain = tensor(file, "model.layers.0.input_layernorm.weight");
  const q = tensor(file, "model.layers.0.self_attn.q_proj.weight");
  const k = tensor(file, "model.layers.0.self_attn.k_proj.weight");
  const normed = ids.map((id) => {
    const x = embedding.slice(id * D, (id + 1) * D);
    const scale = 1 / Math.sqrt(dot(x, x) / D + eps);
    return x.map((value, i) => value * scale * gain[i]!);
  });
  const project = (matrix: Vector, head: number, position: number) => {
    const rows = Array.from({ length: d }, (_, i) =>
      dot(normed[position]!, matrix.slice((head * d + i) * D, (head * d + i + 1) * D)),
    );
    return rotate(rows, position, ropeTheta);
  };
  const last = ids.length - 1;
  const first = Math.max(0, ids.length - (W ?? Infinity));
  return Array.from({ length: H }, (_, h) => {
    const query = project(q, h, last);
    const group = Math.floor((h * G) / H);
    const scores = Array.from({ length: last + 1 - first }, (_, i) =>
      Math.exp(dot(query, project(k, group, first + i)) / Math.sqrt(d)),
    );
    const total = scores.reduce((a, b) => a + b);
    return scores.map((score) => score / total);
  });
}
