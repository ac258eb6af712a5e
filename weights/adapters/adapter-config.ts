// Reads adapter_config.json of PEFT (tuners/lora/config.py). A field that would change the results and is not
// supported is refused by name.
import { mismatch, show } from "../errors.ts";
import { Fields } from "../fields.ts";
import { isObject, type JsonObject } from "../json.ts";
import { CONFIG_FILE } from "./names.ts";
import { type Budget, matchesEnd, matchesWhole, Pattern } from "./pattern.ts";

export const UNSUPPORTED = "Sirocco does not run this; choose another adapter.";
const MAX_RANK = 2 ** 14;
const MAX_ENTRIES = 10_000;
/** Of all patterns on all modules: about a second. */
const MAX_STEPS = 2e7;

/** What adapter_config.json says of the tensors. Modules are named by their path in the base model. */
export interface AdapterConfig {
  readonly dora: boolean;
  readonly loraBias: boolean;
  /** Names of modules that the adapter changes. Empty: all, or those that an expression describes. */
  readonly targets: readonly string[];
  /** Numbers of the layers that the adapter changes; undefined: all. */
  readonly layers: ReadonlySet<number> | undefined;
  /** Names of modules that the adapter replaces. */
  readonly modulesToSave: readonly string[];
  /** Why the configuration does not adapt a module; undefined if it does. */
  refusal(module: string): string | undefined;
  rank(module: string): number;
  /** What B · A is multiplied by. */
  scale(module: string): number;
  /** Names of modules that `tokens` has lists of. */
  readonly trainedModules: readonly string[];
  /** The tokens whose rows of this module are replaced; undefined: none. */
  tokens(module: string): readonly number[] | undefined;
}

const isOff = (value: unknown): boolean =>
  [undefined, null, false, ""].includes(value as undefined) ||
  (typeof value === "object" && Object.keys(value as object).length === 0);

/** Fields that change the results in ways that are not supported. */
const REFUSED = [
  "fan_in_fan_out",
  "layer_replication",
  "alora_invocation_tokens",
  "target_parameters",
  "use_qalora",
  "use_bdlora",
  "arrow_config",
  "kasa_config",
  "monteclora_config",
  "megatron_config",
  "ensure_weight_tying",
];

/** Fields that are read below. */
const READ = [
  ...["peft_type", "task_type", "r", "lora_alpha", "rank_pattern", "alpha_pattern", "use_rslora", "use_dora"],
  ...["target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", "modules_to_save"],
  ...["bias", "lora_bias", "trainable_token_indices", "init_lora_weights"],
];

/** Fields that say how the adapter was trained, or where it comes from. */
const WITHOUT_EFFECT = [
  ...["auto_mapping", "base_model_name_or_path", "revision", "inference_mode", "lora_dropout"],
  ...["peft_version", "megatron_core", "loftq_config", "eva_config", "corda_config", "lora_ga_config"],
  ...["velora_config", "runtime_config", "qalora_group_size", "model_type", "unsloth_fixed"],
];

/** Starts of A and B that leave the base model's weights as they are. Others train on a changed base. */
const STARTS: readonly unknown[] = [undefined, null, true, false, "gaussian", "eva", "orthogonal"];

/** @throws CheckpointError naming the field */
export function parseAdapterConfig(json: JsonObject): AdapterConfig {
  const fields = new Fields(json, CONFIG_FILE);
  refuseUnsupported(fields);
  const rank = fields.given("r") ? fields.size("r", MAX_RANK) : 8;
  const alpha = fields.given("lora_alpha") ? fields.number("lora_alpha", -1e6, 1e6) : 8;
  const rootScale = fields.flag("use_rslora");
  const dora = fields.flag("use_dora");
  const loraBias = fields.flag("lora_bias");
  if (dora && loraBias) throw fields.wrong("lora_bias", "false beside use_dora", UNSUPPORTED);
  const budget = { steps: MAX_STEPS };
  const ranks = patterns(fields, budget, "rank_pattern", (value) => isWhole(value, 1, MAX_RANK));
  const alphas = patterns(fields, budget, "alpha_pattern", (value) => Math.abs(value) <= 1e6);
  const rankOf = (module: string): number => ranks(module) ?? rank;
  const isTarget = selection(fields, budget, "target_modules");
  const isExcluded = selection(fields, budget, "exclude_modules");
  const layers = layersOf(fields);
  const trained = trainedTokens(fields);
  return {
    dora,
    loraBias,
    targets: Array.isArray(fields.get("target_modules")) ? names(fields, "target_modules") : [],
    layers,
    modulesToSave: names(fields, "modules_to_save"),
    refusal(module) {
      const [, layer] = /\.layers\.(\d+)\./.exec(module) ?? [];
      if (isTarget?.(module) === false) return "target_modules";
      if (isExcluded?.(module)) return "exclude_modules";
      return layers && !layers.has(Number(layer ?? -1)) ? "layers_to_transform" : undefined;
    },
    rank: rankOf,
    scale(module) {
      const r = rankOf(module);
      return (alphas(module) ?? alpha) / (rootScale ? Math.sqrt(r) : r);
    },
    trainedModules: trained.map(({ module }) => module),
    tokens: (module) => trained.find((each) => isNamed(module, each.module))?.ids,
  };
}

function refuseUnsupported(fields: Fields): void {
  if (fields.get("peft_type") !== "LORA") throw fields.wrong("peft_type", '"LORA"', UNSUPPORTED);
  const task = fields.get("task_type") ?? null;
  if (task !== null && task !== "CAUSAL_LM") throw fields.wrong("task_type", '"CAUSAL_LM"', UNSUPPORTED);
  for (const name of REFUSED) {
    // An empty list of tokens still switches activated LoRA on.
    const off = name === "alora_invocation_tokens" ? !fields.given(name) : isOff(fields.get(name));
    if (!off) throw fields.wrong(name, "nothing", UNSUPPORTED);
  }
  if (!STARTS.includes(fields.get("init_lora_weights"))) {
    const advice =
      "Its base model has other weights: convert the adapter (save_pretrained of PEFT, with path_initial_model_for_weight_conversion).";
    throw fields.wrong("init_lora_weights", "a start that keeps the base model's weights", advice);
  }
  const bias = fields.get("bias") ?? "none";
  if (typeof bias !== "string" || !["none", "all", "lora_only"].includes(bias))
    throw fields.wrong("bias", '"none", "all" or "lora_only"');
  const known = new Set([...REFUSED, ...READ, ...WITHOUT_EFFECT]);
  for (const [name, value] of Object.entries(fields.json)) {
    // What a later version may add: switches, and objects that configure a method.
    if (known.has(name) || isOff(value) || !(value === true || isObject(value))) continue;
    throw mismatch(
      `${CONFIG_FILE}: ${show(name)}`,
      "a known field",
      `one with the value ${show(value)}`,
      UNSUPPORTED,
    );
  }
}

const isWhole = (value: unknown, min: number, max: number): value is number =>
  Number.isInteger(value) && (value as number) >= min && (value as number) <= max;

/** Values by patterns of names; the first that matches counts. */
function patterns(
  fields: Fields,
  budget: Budget,
  name: string,
  isValid: (value: number) => boolean,
): (module: string) => number | undefined {
  const given = fields.get(name) ?? {};
  if (!isObject(given)) throw fields.wrong(name, "an object");
  const entries = Object.entries(given);
  if (entries.length > MAX_ENTRIES) throw fields.wrong(name, `at most ${MAX_ENTRIES} entries`);
  const values = entries.map(([key, value]) => {
    if (typeof value !== "number" || !isValid(value))
      throw mismatch(`${CONFIG_FILE}: ${name}: ${show(key)}`, "a number in range", show(value), UNSUPPORTED);
    return { pattern: new Pattern(key, `${CONFIG_FILE}: ${name}`, budget), value };
  });
  return (module) => values.find(({ pattern }) => matchesEnd(pattern, module))?.value;
}

/** Which modules a list of names, or an expression, selects; undefined: the field says nothing. */
function selection(fields: Fields, budget: Budget, name: string): ((module: string) => boolean) | undefined {
  const value = fields.get(name);
  if (!fields.given(name) || value === "all-linear") return undefined;
  if (typeof value === "string") {
    const pattern = new Pattern(value, `${CONFIG_FILE}: ${name}`, budget);
    return (module) => matchesWhole(pattern, module);
  }
  const ends = names(fields, name);
  return (module) => ends.some((end) => isNamed(module, end));
}

/** Whether a module has this name: its path, or the end of it. */
export const isNamed = (module: string, name: string): boolean =>
  module === name || module.endsWith(`.${name}`);

function names(fields: Fields, name: string): readonly string[] {
  const value = fields.get(name) ?? [];
  const isNames = Array.isArray(value) && value.every((each) => typeof each === "string" && each !== "");
  if (!isNames || value.length > MAX_ENTRIES) throw fields.wrong(name, "a list of names");
  return value;
}

/** undefined: all layers. */
function layersOf(fields: Fields): ReadonlySet<number> | undefined {
  const pattern = fields.get("layers_pattern") ?? [];
  const all: unknown[] = Array.isArray(pattern) ? pattern : [pattern];
  // The name of the list of layers. All models that are read call it so.
  if (!all.every((each) => each === "layers" || each === ""))
    throw fields.wrong("layers_pattern", '"layers"', UNSUPPORTED);
  const value = fields.get("layers_to_transform") ?? undefined;
  if (value === undefined) return undefined;
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (!list.every((each) => isWhole(each, 0, 2 ** 31)) || list.length > MAX_ENTRIES)
    throw fields.wrong("layers_to_transform", "numbers of layers");
  // PEFT takes an empty list as none.
  return list.length > 0 ? new Set(list as number[]) : undefined;
}

function trainedTokens(fields: Fields): { readonly module: string; readonly ids: readonly number[] }[] {
  const name = "trainable_token_indices";
  const value = fields.get(name) ?? {};
  const lists = Array.isArray(value) ? { embed_tokens: value } : value;
  if (!isObject(lists)) throw fields.wrong(name, "token ids, or lists of them by module");
  return Object.entries(lists).map(([module, ids]) => {
    const valid = Array.isArray(ids) && ids.every((id) => isWhole(id, 0, 2 ** 22));
    if (!valid || new Set(ids).size < ids.length) throw fields.wrong(name, "lists of token ids, each once");
    return { module, ids: ids as number[] };
  });
}
