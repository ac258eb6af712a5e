// Reads config.json: the model's sizes and constants. Refuses unsupported models by field.
import { mismatch, show } from "./errors.ts";
import { ADVICE, Fields } from "./fields.ts";
import { isObject, type JsonObject, own, parseJsonText } from "./json.ts";
import type { Architecture, ModelConfig, QueryScale, RopeScaling } from "./model-config.ts";
import { parseRope } from "./rope.ts";

export type { ModelConfig, QueryScale, RopeScaling };

/** Others are in architectures.ts. */
const plain: readonly Architecture[] = [
  { name: "MistralForCausalLM", modelType: "mistral", window: parseWindow, defaults: true },
  { name: "LlamaForCausalLM", modelType: "llama", window: () => null, defaults: true },
];
const DEFAULT_WINDOW = 4096;

const UNSUPPORTED = "Sirocco does not run this; choose another checkpoint.";

// Far above any model of the family. No product of them exceeds 2^53.
const MAX = {
  layers: 4096,
  width: 2 ** 17,
  hidden: 2 ** 20,
  heads: 4096,
  vocab: 2 ** 22,
  positions: 2 ** 30,
};

/**
 * Reads config.json, and the end-of-sequence ids of generation_config.json if there is one.
 * @throws CheckpointError naming the field, for invalid values and for models that are not supported
 */
export async function parseConfig(
  config: string | JsonObject,
  file = "config.json",
  generation?: string | JsonObject,
): Promise<ModelConfig> {
  const json = typeof config === "string" ? parseJsonText(config, file, ADVICE, "python") : config;
  if (!isObject(json)) throw mismatch(file, "a JSON object", show(json), ADVICE);
  const names = own(json, "architectures");
  const known = plain.find(({ name }) => Array.isArray(names) && names.length === 1 && names[0] === name);
  const found = known
    ? { architecture: known, json, file }
    : (await import("./architectures.ts")).findArchitecture(json, file, plain);
  return parseModel(found.architecture, new Fields(found.json, found.file), generation);
}

async function parseModel(
  { name: architecture, window, defaults, tied, qkvBias, qkNorm, queryScale, noRopeLayers }: Architecture,
  fields: Fields,
  generation: string | JsonObject | undefined,
): Promise<ModelConfig> {
  refuseUnsupported(fields);

  const D = fields.size("hidden_size", MAX.width);
  const H = fields.size("num_attention_heads", MAX.heads);
  const G = fields.given("num_key_value_heads") ? fields.size("num_key_value_heads", MAX.heads) : H;
  if (H % G !== 0) {
    throw fields.wrong("num_key_value_heads", `a divisor of num_attention_heads (${H})`, UNSUPPORTED);
  }
  const given = fields.given("head_dim");
  if (!given && D % H !== 0) {
    throw fields.wrong("hidden_size", `a multiple of num_attention_heads (${H}), as head_dim is not given`);
  }
  const d = given ? fields.size("head_dim", MAX.width) : D / H;
  if (d % 2 !== 0)
    throw mismatch(`${fields.where}: head_dim`, "an even number (RoPE rotates pairs)", `${d}`, UNSUPPORTED);
  if (H * d > MAX.hidden) {
    throw mismatch(
      `${fields.where}: head_dim`,
      `heads of at most ${MAX.hidden} numbers in all`,
      `${H * d}`,
      ADVICE,
    );
  }

  const V = fields.size("vocab_size", MAX.vocab);
  const L = fields.size("num_hidden_layers", MAX.layers);
  const rope = await parseRope(fields, queryScale);
  if (!defaults && !rope.given) throw fields.wrong("rope_theta", "a number from 1 to 1e15");
  const stop = generation === undefined ? undefined : generationFields(generation);
  /** What transformers takes for ids that config.json does not give. */
  const byDefault = (id: number): readonly number[] => (defaults && id < V ? [id] : []);
  const bos = fields.ids("bos_token_id", V) ?? byDefault(1);
  const ends = fields.ids("eos_token_id", V);
  const moreEnds = stop?.ids("eos_token_id", V) ?? [];
  return {
    architecture,
    L,
    D,
    F: fields.size("intermediate_size", MAX.hidden),
    H,
    G,
    d,
    V,
    W: window(fields),
    eps: !defaults || fields.given("rms_norm_eps") ? fields.number("rms_norm_eps", 1e-30, 0.1) : 1e-6,
    ropeTheta: rope.theta,
    ropeScaling: rope.scaling,
    queryScale: rope.queryScale,
    noRopeLayers: noRopeLayers?.(fields, L) ?? [],
    qkvBias: !!qkvBias,
    qkNorm: !!qkNorm,
    maxPositions: fields.size("max_position_embeddings", MAX.positions),
    tied: fields.given("tie_word_embeddings") ? fields.flag("tie_word_embeddings") : !!tied,
    bosTokenId: bos[0] ?? stop?.ids("bos_token_id", V)?.[0] ?? null,
    eosTokenIds: [...new Set([...(ends ?? (moreEnds.length > 0 ? [] : byDefault(2))), ...moreEnds])],
  };
}

// Ignoring any of these fields would change the numbers and give fluent wrong output.
function refuseUnsupported(fields: Fields): void {
  const act = fields.get("hidden_act") ?? "silu";
  // Two names of the same function.
  if (act !== "silu" && act !== "swish") throw fields.wrong("hidden_act", '"silu"', UNSUPPORTED);
  for (const bias of ["attention_bias", "mlp_bias"]) {
    if (fields.flag(bias)) throw fields.wrong(bias, "false", UNSUPPORTED);
  }
  if (fields.given("partial_rotary_factor") && fields.get("partial_rotary_factor") !== 1) {
    throw fields.wrong("partial_rotary_factor", "1", UNSUPPORTED);
  }
  for (const cap of ["attn_logit_softcapping", "final_logit_softcapping"]) {
    if (fields.given(cap)) throw fields.wrong(cap, "null", UNSUPPORTED);
  }
  const kinds = fields.get("layer_types");
  if (Array.isArray(kinds) && new Set(kinds).size > 1) {
    throw fields.wrong("layer_types", "one kind of attention in all layers", UNSUPPORTED);
  }
}

// null means no window; if the field is missing, transformers' default for Mistral applies.
function parseWindow(fields: Fields): number | null {
  const off = fields.given("use_sliding_window") && !fields.flag("use_sliding_window");
  if (off || fields.get("sliding_window") === null) return null;
  return fields.given("sliding_window") ? fields.size("sliding_window", MAX.positions) : DEFAULT_WINDOW;
}

function generationFields(generation: string | JsonObject): Fields {
  const file = "generation_config.json";
  const json =
    typeof generation === "string"
      ? parseJsonText(generation, file, `Repair or delete ${file}.`, "python")
      : generation;
  return new Fields(isObject(json) ? json : {}, file);
}
