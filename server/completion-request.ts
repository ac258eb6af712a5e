// A text completion as OpenAI's clients ask for it -> prompts and options of `generate`.
import { z } from "zod";
import type { GenerateOptions } from "../engine/node.ts";
import { HttpError } from "./errors.ts";
import { sampling } from "./sampling.ts";

/** OpenAI's. */
const DEFAULT_MAX_TOKENS = 16;
const MOST_ANSWERS = 128;

// By hand: a schema would try every id of a long list against every shape that a prompt may have.
const isIds = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every((id) => Number.isInteger(id));
const isList = (value: unknown): value is (string | number[])[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= MOST_ANSWERS &&
  (value.every((each) => typeof each === "string") || value.every(isIds));

export const completionBody = z.looseObject({
  ...sampling,
  prompt: z.custom<string | number[] | (string | number[])[]>(
    (value) => typeof value === "string" || isIds(value) || isList(value),
    `expected a text, token ids, or up to ${MOST_ANSWERS} of either`,
  ),
  max_tokens: z.int().min(0).nullish(),
  logprobs: z.int().min(0).max(5).nullish(),
  echo: z.boolean().nullish(),
  best_of: z.int().min(1).nullish(),
});

export type Prompt = string | readonly number[];

export interface CompletionRequest {
  readonly prompts: readonly Prompt[];
  /** Of each prompt. */
  readonly answers: number;
  /** Without a seed and a signal, which answers have each of their own. */
  readonly options: GenerateOptions & { readonly maxTokens: number };
  readonly seed: number | undefined;
  /** Give the prompt back before the answer, with log-probabilities where they are asked for. */
  readonly echo: boolean;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

/** @throws HttpError 400 naming what is not supported */
export function readCompletion(given: z.infer<typeof completionBody>): CompletionRequest {
  refuseOthers(given, Object.keys(completionBody.shape), "");
  refuseOthers(given.stream_options ?? {}, ["include_usage"], "stream_options.");
  const answers = given.n ?? 1;
  const prompts = listed(given.prompt);
  if ((given.best_of ?? answers) !== answers)
    throw wrong("best_of", `best_of: expected n, which is ${answers}, got ${given.best_of}. Leave it out.`);
  if (given.stream_options && !given.stream)
    throw wrong("stream_options", "stream_options: expected stream: true with it. Add it.");
  if (prompts.length * answers > MOST_ANSWERS)
    throw wrong(
      "n",
      `n: expected at most ${MOST_ANSWERS} answers to all prompts, got ${prompts.length * answers}.`,
    );
  return {
    prompts,
    answers,
    options: {
      maxTokens: given.max_tokens ?? DEFAULT_MAX_TOKENS,
      temperature: given.temperature ?? 1,
      ...some("topP", given.top_p),
      ...some("topK", given.top_k),
      ...some("minP", given.min_p),
      ...some("repetitionPenalty", given.repetition_penalty),
      ...some("frequencyPenalty", given.frequency_penalty),
      ...some("presencePenalty", given.presence_penalty),
      ...some("logitBias", given.logit_bias),
      ...some("stop", given.stop),
      ...some("topLogProbs", given.logprobs),
    },
    seed: given.seed ?? undefined,
    echo: given.echo ?? false,
    stream: given.stream ?? false,
    includeUsage: given.stream_options?.include_usage ?? false,
  };
}

/** A list of numbers is one prompt, a list of anything else several. */
function listed(prompt: string | readonly (string | number | readonly number[])[]): readonly Prompt[] {
  if (typeof prompt === "string") return [prompt];
  return isIds(prompt) ? [prompt] : prompt.filter((each): each is Prompt => typeof each !== "number");
}

function refuseOthers(given: object, known: readonly string[], where: string): void {
  for (const [name, value] of Object.entries(given)) {
    if (known.includes(name) || value === null || value === undefined) continue;
    const param = `${where}${name}`;
    throw new HttpError(
      400,
      `completions.create: expected no ${param}, got one. Sirocco does not support it: leave it out.`,
      { code: "unsupported_parameter", param },
    );
  }
}

const some = <Name extends string, T>(name: Name, value: T | null | undefined) =>
  (value === null || value === undefined ? {} : { [name]: value }) as { readonly [K in Name]?: T };

const wrong = (param: string, message: string) => new HttpError(400, message, { param });
