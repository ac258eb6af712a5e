// Checks that need the loaded model, before a request is queued: prompts are encoded once and compared with
// the context, ids of logit_bias with the vocabulary.
import { setImmediate } from "node:timers/promises";
import { type AskedFormat, withNames } from "../engine/apis/answer-format.ts";
import {
  type AnswerOptions,
  CheckpointError,
  type GenerateOptions,
  type Message,
  type Model,
  type TokenizerInfo,
} from "../engine/node.ts";
import { DEFAULT_MAX_TOKENS } from "../engine/options/defaults.ts";
import { isParameterError } from "../engine/options/parameter.ts";
import type { PromptOptions } from "../engine/prompts.ts";
import { badParameter, HttpError } from "./errors.ts";
import type { Service } from "./service.ts";

type Where = "messages" | "prompt";

/**
 * Options whose length fits the context. @throws HttpError 400 with the numbers if prompt and answer do not
 * fit
 */
export function checkContext<Options extends Pick<AnswerOptions, "maxTokens">>(
  { contextLength, model }: Service,
  promptTokens: number,
  options: Options,
  prompt: Where,
): Options {
  const { maxTokens } = options;
  if (promptTokens === 0)
    throw new HttpError(
      400,
      `${prompt}: expected at least one token, got none. There is nothing to continue.`,
      { code: "invalid_value", param: prompt },
    );
  // The last token of an answer needs no slot: nothing is computed from it.
  const room = contextLength - promptTokens + 1;
  if (room < 1 || (maxTokens ?? 0) > room)
    throw new HttpError(
      400,
      `The context holds ${contextLength} tokens, and this request needs more: ${promptTokens} of its prompt` +
        `${maxTokens === undefined ? "" : ` and ${maxTokens} asked for`}. Shorten it, or ask for fewer.`,
      { code: "context_length_exceeded", param: room < 1 ? prompt : "max_tokens" },
    );
  if (maxTokens !== undefined || contextLength === model.contextLength) return options;
  return { ...options, maxTokens: Math.min(room, DEFAULT_MAX_TOKENS) };
}

/**
 * @throws HttpError 400 for ids that the model does not have. The engine checks them too, but a stream has
 * begun by then.
 */
export function checkBias({ model }: Service, { logitBias = {} }: GenerateOptions): void {
  const wrong = Object.keys(logitBias).find((id) => Number(id) >= model.config.V);
  if (wrong === undefined) return;
  throw new HttpError(400, `logit_bias: expected token ids from 0 to ${model.config.V - 1}, got ${wrong}.`, {
    code: "invalid_value",
    param: "logit_bias",
  });
}

/**
 * @param asked what the request says of the format that is among the options
 * @throws TypeError, RangeError with `parameter`, the request's field, for a format that the engine refuses.
 * It does so before the first token, but a stream has begun by then: an answer that is already aborted shows
 * it.
 */
export async function checkFormat(
  { model }: Service,
  ids: readonly number[],
  options: GenerateOptions,
  asked: AskedFormat | undefined,
): Promise<void> {
  if (!asked) return;
  const { format } = options;
  const aborted = model.generate(ids, { ...(format && { format }), signal: AbortSignal.abort() });
  for await (const _ of withNames(aborted, asked));
}

/**
 * The ids of a text. @throws HttpError 400 if it is far too long or contains a token that the model does not
 * have
 */
export async function encodeText(
  service: Service,
  text: string,
  where: "prompt" | "input",
  signal: AbortSignal,
  options: { readonly bos?: boolean } = {},
): Promise<readonly number[]> {
  await checkLength(service, text.length, where);
  try {
    return await service.model.encode(text, { ...options, signal });
  } catch (error) {
    // The request calls it by another name.
    throw isParameterError(error) ? badParameter(error, where) : error;
  }
}

/**
 * What the tokenizer tells of itself.
 * @throws HttpError 400 if the model has none: then prompts and answers have no text
 */
export async function checkTokenizer(model: Model): Promise<TokenizerInfo> {
  try {
    return await model.tokenizerInfo();
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new HttpError(
      400,
      "Expected a model with a tokenizer, got one without. Ask the operator of this server to put the tokenizer's file beside the weights.",
      { code: "no_tokenizer", cause: error },
    );
  }
}

/**
 * Refuses a text that is far too long without encoding it, which would be slow.
 * @throws HttpError 400, also if the model has no tokenizer
 */
export async function checkLength(
  service: Service,
  characters: number,
  prompt: Where | "input",
): Promise<void> {
  await checkTokenizer(service.model);
  const most = service.contextLength * (await longestToken(service.model));
  if (characters <= most) return;
  throw new HttpError(
    400,
    `The context holds ${service.contextLength} tokens, which no text of ${characters} characters fits. Shorten it.`,
    { code: "context_length_exceeded", param: prompt },
  );
}

/** A prompt as the engine takes it. */
export interface EncodedPrompt {
  readonly ids: readonly number[];
  /** Changes made to the conversation so that the chat template accepts it. */
  readonly warnings: readonly string[];
}

/** Renders and encodes a conversation. @throws HttpError 400 if it is far too long */
export async function encodeMessages(
  service: Service,
  messages: readonly Message[],
  where: Where,
  { continueFinalMessage, safePrompt = service.safePrompt, signal, tools, toolChoice }: PromptOptions,
): Promise<EncodedPrompt> {
  await checkLength(
    service,
    messages.reduce((sum, { content }) => sum + content.length, 0),
    where,
  );
  const warnings: string[] = [];
  const ids = await service.model.encodeChat(messages, {
    ...(continueFinalMessage && { continueFinalMessage }),
    ...(safePrompt && { safePrompt }),
    ...(tools && { tools }),
    ...(toolChoice && { toolChoice }),
    ...(signal && { signal }),
    onWarning: (warning) => warnings.push(warning),
  });
  return { ids, warnings };
}

const lengths = new WeakMap<Model, Promise<number>>();

/** Characters of the longest token. Measured once per model, as it takes a while. */
export function longestToken(model: Model): Promise<number> {
  const known = lengths.get(model);
  if (known) return known;
  const length = measure(model);
  lengths.set(model, length);
  return length;
}

async function measure(model: Model): Promise<number> {
  let longest = 16;
  // One more for a leading space, which decode strips.
  for (let id = 0; id < model.config.V; id++) {
    longest = Math.max(longest, 1 + (await model.decode([id]).catch(() => "")).length);
    if (id % 1000 === 999) await setImmediate();
  }
  return longest;
}
