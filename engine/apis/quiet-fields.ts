// Fields of a request that are accepted although no code reads them: their values ask for nothing, or could
// not change an answer. All dialects use this table. Every other field is refused by name.
import { isObject, type JsonObject } from "../../weights/json.ts";
import { unsupported } from "../options/parameter.ts";

export type Given = JsonObject;

/** null, false, "", [] and {}. */
export function isNothing(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isObject(value)) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === false || value === "";
}

interface Quiet {
  /** Values that ask for nothing; without a list, all. */
  readonly values?: readonly unknown[];
  /** Which values of other types are accepted. */
  readonly is?: (value: unknown) => boolean;
  /** Set if `false` or `{}` does ask for something. */
  readonly strict?: true;
  /** The part of the field that the error names. */
  readonly part?: string;
}

const any: Quiet = {};
const only = (...values: unknown[]): Quiet => ({ values });
const all = (names: string, quiet: Quiet): [string, Quiet][] =>
  names.split(" ").map((name) => [name, quiet] as [string, Quiet]);

/** Fields of OpenAI, vLLM, llama.cpp, OpenRouter and Ollama, with their defaults. */
const QUIET: ReadonlyMap<string, Quiet> = new Map([
  // Identity, metadata and caching.
  ...all("user safety_identifier metadata request_id session_id", any),
  ...all("prompt_cache_key prompt_cache_retention cache_prompt cache_salt cache_control keep_alive", any),
  // A predicted answer, which could only make it faster; padding of a stream.
  ...all("prediction include_obfuscation", any),
  // Which engine holds answers to a format.
  ["guided_decoding_backend", any],
  // Options of tools, where there are none.
  ["parallel_tool_calls", any],
  // Samplers that are off, and special tokens, which no answer shows.
  ...all("mirostat_tau mirostat_eta xtc_threshold dynatemp_exponent", any),
  ...all("dry_base dry_allowed_length dry_penalty_last_n dry_sequence_breakers", any),
  ...all("spaces_between_special_tokens clean_up_tokenization_spaces", any),
  ...all("tool_choice function_call", only("none")),
  ...all("best_of length_penalty typical_p tfs_z repeat_penalty num_beams", only(1)),
  ...all(
    "min_tokens mirostat top_a n_probs top_logprobs min_keep dry_multiplier xtc_probability dynatemp_range n_keep",
    only(0),
  ),
  ...all("priority n_discard n_indent t_max_predict_ms t_max_prompt_ms no_repeat_ngram_size", only(0)),
  ...all("n_predict id_slot truncate_prompt_tokens prompt_logprobs", only(-1)),
  ["repeat_last_n", only(-1, 64)],
  ["service_tier", only("auto", "default")],
  ["reasoning_effort", only("none")],
  ["verbosity", only("medium")],
  ["modalities", { is: (value) => Array.isArray(value) && value.every((each) => each === "text") }],
  ["skip_special_tokens", { values: [true], strict: true }],
  ["detokenize", { values: [true], strict: true }],
  ["web_search_options", { values: [], strict: true }],
]);

/** Names that every object has. A client does not send such a field by mistake. */
const isInherited = (name: string): boolean => name in Object.prototype;

const asksForNothing = (name: string, value: unknown): boolean => {
  if (value === undefined || value === null) return true;
  const quiet = QUIET.get(name);
  if (!quiet?.strict && isNothing(value)) return true;
  if (!quiet) return false;
  if (quiet.is) return quiet.is(value);
  return quiet.values === undefined || quiet.values.includes(value);
};

/**
 * @param where prefix of the fields' names: "messages[0]."
 * @throws TypeError with `parameter` for a field that is neither known nor quiet
 */
export function refuseOthers(given: Given, known: ReadonlySet<string>, where = ""): void {
  for (const [name, value] of Object.entries(given)) {
    if (!isInherited(name) && (known.has(name) || asksForNothing(name, value))) continue;
    refuse(where + (QUIET.get(name)?.part ?? name).slice(0, 60));
  }
}

export function refuse(name: string): never {
  throw unsupported(name, `${name}: expected none, got one. Sirocco does not support it: leave it out.`);
}
