// The ids of the tokens that begin and end texts.
import type { JsonObject } from "../json.ts";
import { KIND } from "../vocabulary/tokens.ts";
import type { Metadata } from "./metadata.ts";

/** Ends of an answer that not every file names by a key. */
const ENDS: readonly string[] = ["<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>"];
/** `bos_token_id` and `eos_token_id` as config.json has them. */
export function tokenIds(metadata: Metadata): JsonObject {
  const id = (name: string) => metadata.number(`tokenizer.ggml.${name}_token_id`);
  const tokens = metadata.texts("tokenizer.ggml.tokens") ?? [];
  const kinds = metadata.numbers("tokenizer.ggml.token_type") ?? [];
  const named = [id("eos"), id("eot"), id("eom")].filter((each) => each !== undefined);
  const known = ENDS.map((text) => tokens.indexOf(text)).filter((at) => kinds[at] === KIND.control);
  return {
    bos_token_id: id("bos") ?? null,
    eos_token_id: [...new Set([...named, ...known])],
  };
}
