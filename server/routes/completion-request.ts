// Reads the body of a text completion: prompts, and options of `generate`.

import { readFormat } from "../../engine/apis/answer-format.ts";
import { type ChatRequest, MAX_ANSWERS, readCommon } from "../../engine/apis/openai/request.ts";
import { type Given, isNothing, refuseOthers } from "../../engine/apis/quiet-fields.ts";
import { optionNames, readFlag, readOptions } from "../../engine/apis/request-options.ts";
import type { GenerateOptions } from "../../engine/node.ts";
import { outOfRange, shown, unsupported, wrongType } from "../../engine/options/parameter.ts";

export type Prompt = string | readonly number[];

export interface CompletionRequest
  extends Pick<ChatRequest, "answers" | "asked" | "seed" | "stream" | "includeUsage" | "model"> {
  readonly prompts: readonly Prompt[];
  /** Without seed and signal, which each answer has of its own. */
  readonly options: GenerateOptions & { readonly maxTokens: number };
  /** Whether the request sets the number of tokens. Then they must fit. */
  readonly asksLength: boolean;
  /** Return the prompt before the answer, with log-probabilities if the request asks for them. */
  readonly echo: boolean;
}

const COMMON = ["model", "stream", "stream_options", "n", "user"] as const;
const KNOWN = new Set([...COMMON, "prompt", "echo", "best_of", "add_special_tokens", ...optionNames("text")]);

/** @throws TypeError or RangeError with `parameter` */
export function readCompletion(given: Given): CompletionRequest {
  refuseOthers(given, KNOWN);
  const prompts = readPrompts(given["prompt"]);
  const common = readCommon(given);
  const { answers } = common;
  const { best_of: best, max_tokens: length } = given;
  if (!isNothing(best) && best !== 1 && best !== answers)
    throw wrongType("best_of", `expected n, which is ${answers}, got ${shown(best)}. Leave it out.`);
  // The model was never trained on texts without the beginning-of-sequence token.
  if (!readFlag(given, "add_special_tokens", true))
    throw unsupported(
      "add_special_tokens",
      "add_special_tokens: expected true, got false. Give token ids as the prompt instead.",
    );
  if (prompts.length * answers > MAX_ANSWERS)
    throw outOfRange(
      "n",
      `expected at most ${MAX_ANSWERS} answers to all prompts, got ${prompts.length * answers}.`,
    );
  const asked = readFormat(given, "text");
  const { seed, maxTokens = 0, ...options } = readOptions(given, "text", asked);
  return {
    ...common,
    ...{ prompts, asked },
    options: { ...options, maxTokens },
    asksLength: !isNothing(length) && length !== -1,
    seed,
    echo: readFlag(given, "echo"),
  };
}

const isIds = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every((id) => Number.isInteger(id));

/** A list of numbers is one prompt; any other list holds several prompts. */
function readPrompts(prompt: unknown): readonly Prompt[] {
  if (typeof prompt === "string" || isIds(prompt)) return [prompt];
  const expected = `expected a text, token ids, or up to ${MAX_ANSWERS} of either`;
  if (!Array.isArray(prompt) || prompt.length === 0)
    throw wrongType("prompt", `${expected}, got ${shown(prompt)}.`);
  if (prompt.length > MAX_ANSWERS && typeof prompt[0] !== "number")
    throw outOfRange("prompt", `${expected}, got ${prompt.length}.`);
  const texts = typeof prompt[0] === "string";
  const other = prompt.findIndex((each) => (texts ? typeof each !== "string" : !isIds(each)));
  if (other < 0) return prompt;
  throw wrongType("prompt", `${expected}, got ${shown(prompt[other])} in the list at ${other}.`);
}
