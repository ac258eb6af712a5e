// Recognises what is in a source that holds no checkpoint, by the names of its files.
import type { Source } from "./source.ts";

interface Found {
  /** Of the file. */
  readonly name: string;
  readonly what: string;
  /** What to do. */
  readonly advice: string;
}

/** Tried in this order, the most telling first. */
const KINDS: readonly { readonly name: RegExp; readonly what: string; readonly advice: string }[] = [
  {
    name: /^adapter_(config\.json|model\.(safetensors|bin))$/,
    what: "only an adapter",
    advice:
      "Load its base model, and it as an adapter (adapters, --adapter-model); or merge the two (sirocco merge).",
  },
  {
    name: /\.(safetensors|bin|gguf)\.(partial|part|incomplete|crdownload|download|sirocco\..+)$/,
    what: "a download or quantisation that was cut off",
    advice: "Fetch or quantise it again.",
  },
  {
    name: /^(params\.json|consolidated\b.*\.(safetensors|pth))$/,
    what: "weights in Mistral's own format",
    advice:
      "Sirocco reads Hugging Face's: config.json and model*.safetensors, mostly in the same repository.",
  },
  { name: /\.gguf$/i, what: "GGUF weights", advice: "Name the .gguf file itself." },
  {
    name: /^pytorch_model.*\.bin(\.index\.json)?$|\.(pt|pth|ckpt)$/,
    what: "PyTorch weights",
    advice:
      "Save them as safetensors (save_pretrained of transformers), or choose a repository that has model.safetensors.",
  },
  {
    name: /\.(onnx|h5|msgpack|tflite|mlmodel|npz)$/,
    what: "weights in another format",
    advice: "Sirocco reads safetensors: choose the original repository of the model.",
  },
  {
    name: /^snapshots$/,
    what: "a repository in the Hub's cache",
    advice: "Load it as owner/name, or name the folder of one commit in snapshots.",
  },
  {
    name: /^checkpoint-\d+$/,
    what: "checkpoints of a training run",
    advice: "Name the folder of one of them.",
  },
];

/** Names to look for if a source cannot list its files. */
const PROBED_NAMES = [
  "adapter_config.json",
  "params.json",
  "consolidated.safetensors",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
];

/**
 * The file in `source` that says most about what is there instead of a checkpoint; undefined if none is
 * known.
 */
export async function foundInstead(source: Source, signal?: AbortSignal): Promise<Found | undefined> {
  const names = await namesIn(source, signal);
  for (const { name: pattern, what, advice } of KINDS) {
    const name = names.find((name) => pattern.test(name));
    if (name !== undefined) return { name, what, advice };
  }
  return undefined;
}

async function namesIn(source: Source, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const names = (await source.list?.(signal)) ?? [];
  if (names.length > 0) return names;
  const sizes = await Promise.all(PROBED_NAMES.map((name) => source.size(name, signal)));
  return PROBED_NAMES.filter((_, i) => sizes[i] !== undefined);
}
