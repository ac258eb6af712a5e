// The architectures beside Mistral and Llama. Models of those two do not fetch it.
import { mismatch, show } from "./errors.ts";
import { ADVICE, type Fields } from "./fields.ts";
import { isObject, type JsonObject, own } from "./json.ts";
import type { Architecture } from "./model-config.ts";

const UNSUPPORTED = "Sirocco does not run this; choose another checkpoint.";

const architectures: readonly Architecture[] = [
  { name: "Ministral3ForCausalLM", modelType: "ministral3", window, tied: true, queryScale: true },
  { name: "Qwen2ForCausalLM", modelType: "qwen2", window: noWindow, qkvBias: true },
  { name: "Qwen3ForCausalLM", modelType: "qwen3", window: noWindow, qkNorm: true },
  { name: "SmolLM3ForCausalLM", modelType: "smollm3", window: noWindow, tied: true, noRopeLayers },
  { name: "Phi3ForCausalLM", modelType: "phi3", window },
];

/** A language model that sees: it is in `text_config`, and nothing else is read. */
const WRAPPED = "Mistral3ForConditionalGeneration";

/** @param plain Mistral and Llama @throws CheckpointError naming the field */
export function findArchitecture(
  json: JsonObject,
  file: string,
  plain: readonly Architecture[],
): { architecture: Architecture; json: JsonObject; file: string } {
  const all = [...plain, ...architectures];
  const names = own(json, "architectures");
  if (Array.isArray(names) && names.length === 1 && names[0] === WRAPPED) {
    const text = own(json, "text_config");
    const where = `${file}: text_config`;
    if (!isObject(text)) throw mismatch(where, "a JSON object", show(text), ADVICE);
    const type = own(text, "model_type");
    const inside = all.find(({ modelType }) => modelType === type && /^mi(ni)?stral3?$/.test(modelType));
    if (!inside) throw mismatch(`${where}: model_type`, '"mistral" or "ministral3"', show(type), UNSUPPORTED);
    // Some of these files say only outside whether the embedding is tied.
    const tied = own(text, "tie_word_embeddings") ?? own(json, "tie_word_embeddings");
    return { architecture: inside, json: { ...text, tie_word_embeddings: tied }, file: where };
  }
  const unnamed = names === undefined || names === null || (Array.isArray(names) && names.length === 0);
  const architecture = all.find(({ name, modelType }) =>
    unnamed
      ? modelType === own(json, "model_type")
      : Array.isArray(names) && names.length === 1 && names[0] === name,
  );
  if (architecture) return { architecture, json, file };
  const known = [...all.map(({ name }) => name), WRAPPED].join(", ");
  throw mismatch(`${file}: architectures`, `[one of ${known}]`, show(names), UNSUPPORTED);
}

const MAX_POSITIONS = 2 ** 30;

function window(fields: Fields): number | null {
  return fields.given("sliding_window") ? fields.size("sliding_window", MAX_POSITIONS) : null;
}

/** With one, these architectures have another window in each layer. */
function noWindow(fields: Fields): null {
  if (fields.flag("use_sliding_window")) throw fields.wrong("use_sliding_window", "false", UNSUPPORTED);
  const kinds = fields.get("layer_types");
  if (Array.isArray(kinds) && kinds.some((kind) => kind !== "full_attention"))
    throw fields.wrong("layer_types", '"full_attention" only', UNSUPPORTED);
  if (fields.given("dual_chunk_attention_config"))
    throw fields.wrong("dual_chunk_attention_config", "nothing", UNSUPPORTED);
  return null;
}

function noRopeLayers(fields: Fields, L: number): number[] {
  const rotated = fields.get("no_rope_layers");
  if (!Array.isArray(rotated) || rotated.length !== L || !rotated.every((each) => each === 0 || each === 1))
    throw fields.wrong("no_rope_layers", `0 or 1 for each of ${L} layers`);
  return rotated.flatMap((each, i) => (each ? [] : [i]));
}
