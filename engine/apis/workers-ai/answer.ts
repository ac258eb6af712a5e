// An answer in Workers AI's shapes, from `Model.chat` and `Model.generate`.
import type { AnswerOptions, Chunk, Finish, Model, ToolCall } from "../../api.ts";
import { addCalls } from "../added-calls.ts";
import { withNames } from "../answer-format.ts";
import { aiError } from "./error.ts";
import type { AiCall } from "./input.ts";
import type { AiJsonOutput, AiTextGenerationOutput, AiToolCall } from "./types.ts";

/** The methods of a loaded model that `Ai` uses. */
export type AiModel = Pick<Model, "chat" | "generate"> & Partial<Pick<Model, "adapters">>;

/** Starts the answer to a call. */
export type StartAnswer = (options: AnswerOptions) => AsyncGenerator<Chunk, void, void>;

/** Starts answers on a loaded model. */
export const startOn =
  (model: AiModel, { prompt, asked }: AiCall): StartAnswer =>
  (options) =>
    withNames(
      typeof prompt === "string" ? model.generate(prompt, options) : model.chat(prompt, options),
      asked,
    );

/** An answer or a part of it. The last part has the usage. */
type StreamEvent = Pick<AiTextGenerationOutput, "response"> & Partial<AiTextGenerationOutput>;

/** @throws the model's errors, or the signal's reason */
export async function complete(
  start: StartAnswer,
  options: AnswerOptions,
  signal?: AbortSignal,
): Promise<AiTextGenerationOutput | AiJsonOutput> {
  let response = "";
  let thought = "";
  const calls: ToolCall[] = [];
  let finish: Finish | undefined;
  for await (const chunk of answer(start, options, signal)) {
    response += chunk.text;
    addCalls(calls, chunk.toolCalls);
    thought += chunk.reasoning ?? "";
    finish = chunk.finish;
  }
  const rest = {
    ...(thought !== "" && { reasoning_content: thought }),
    ...called(calls, finish),
    ...ending(finish),
  };
  return options.format ? { response: parsed(response, finish), ...rest } : { response, ...rest };
}

/** The whole calls: one that is cut off is none. */
function called(
  calls: readonly ToolCall[],
  finish: Finish | undefined,
): { readonly tool_calls?: readonly AiToolCall[] } {
  const whole = finish?.reason === "tool-calls" ? calls : calls.slice(0, -1);
  if (whole.length === 0) return {};
  return { tool_calls: whole.map(({ name, arguments: text }) => ({ name, arguments: JSON.parse(text) })) };
}

/** @throws AiError if the answer is cut off */
function parsed(text: string, finish: Finish | undefined): unknown {
  if (finish?.reason === "stop") return JSON.parse(text);
  const cause = new Error(
    `max_tokens: expected room for all of the JSON, got ${finish?.completionTokens} tokens.`,
  );
  throw aiError("noJson", "JSON Mode couldn't be met", { cause });
}

/** The pieces of an answer and then its usage, in the shape of a stream's events. @throws as `complete` */
export async function* pieces(
  start: StartAnswer,
  options: AnswerOptions,
  signal?: AbortSignal,
): AsyncGenerator<StreamEvent, void, void> {
  const calls: ToolCall[] = [];
  for await (const { text, reasoning, toolCalls, finish } of answer(start, options, signal)) {
    addCalls(calls, toolCalls);
    if (reasoning) yield { response: "", reasoning_content: reasoning };
    if (text !== "") yield { response: text };
    if (finish) yield { response: "", ...called(calls, finish), ...ending(finish) };
  }
}

/** Workers AI has no shape for an aborted answer: it is an error. */
async function* answer(
  start: StartAnswer,
  options: AnswerOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<Chunk, void, void> {
  for await (const chunk of start(signal ? { ...options, signal } : options)) {
    if (chunk.finish?.reason === "abort") signal?.throwIfAborted();
    yield chunk;
  }
}

function ending(finish: Finish | undefined): Pick<AiTextGenerationOutput, "usage" | "warnings"> {
  const { promptTokens: prompt = 0, completionTokens: completion = 0, warnings } = finish ?? {};
  const usage = { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
  return { usage, ...(warnings && { warnings }) };
}
