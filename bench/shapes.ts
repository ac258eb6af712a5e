// Models of which only the shape matters: headers that can be planned, without weights.
import { parseConfig, requiredTensors, type Source, writeHeader } from "../weights/index.ts";

/** Sizes of a model of Mistral's or Llama's architecture, with the letters of ARCHITECTURE.md. */
export type ModelShape = Readonly<Record<"L" | "D" | "F" | "H" | "G" | "V", number>> & {
  readonly W: number | null;
};

/** A checkpoint in bf16 whose headers are right and whose weights are zeros. */
export async function shapeSource(name: string, { L, D, F, H, G, V, W }: ModelShape): Promise<Source> {
  const config = {
    ...{ architectures: ["MistralForCausalLM"], model_type: "mistral", hidden_act: "silu" },
    ...{ hidden_size: D, intermediate_size: F, num_hidden_layers: L, vocab_size: V },
    ...{ num_attention_heads: H, num_key_value_heads: G, head_dim: D / H, sliding_window: W },
    ...{ max_position_embeddings: 32768, rms_norm_eps: 1e-5, rope_theta: 10000, tie_word_embeddings: false },
  };
  const tensors = requiredTensors(await parseConfig(config)).map(({ name: tensor, shape }) => ({
    ...{ name: tensor, shape, dtype: "BF16" as const },
  }));
  const { bytes: header } = writeHeader(tensors);
  const data = tensors.reduce((sum, { shape }) => sum + 2 * shape.reduce((a, b) => a * b), 0);
  const files = new Map<string, { readonly head: Uint8Array; readonly size: number }>();
  const json = new TextEncoder().encode(JSON.stringify(config));
  files.set("config.json", { head: json, size: json.length });
  files.set("model.safetensors", { head: header, size: header.length + data });
  return {
    name,
    size: async (file) => files.get(file)?.size,
    read: async (file, start = 0, end = files.get(file)?.size ?? 0) => {
      const bytes = new Uint8Array(end - start);
      bytes.set(files.get(file)?.head.subarray(start, end) ?? []);
      return bytes;
    },
  };
}
