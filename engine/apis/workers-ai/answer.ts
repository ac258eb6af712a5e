// An answer in Workers AI's shapes, from a loaded model wherever it runs: this knows `Model.chat` and
// `Model.generate`.
import type { AnswerOptions, Chunk, Finish, Model } from "../../api.ts";
import type { AiCall } from "./input.ts";
import type { AiTextGenerationOutput } from "./types.ts";

/** What `Ai` uses of a loaded model. */
export type AiModel = Pick<Model, "chat" | "generate">;

/** Starts the answer to a call. */
export type StartAnswer = (options: AnswerOptions) => AsyncGenerator<Chunk, void, void>;

/** On a loaded model. */
export const startOn =
  (model: AiModel, { prompt }: AiCall): StartAnswer =>
  (options) =>
    typeof prompt === "string" ? model.generate(prompt, options) : model.chat(prompt, options);

/** An answer or a part of it; the usage stands on the last part. */
type Piece = Pick<AiTextGenerationOutput, "response"> & Partial<AiTextGenerationOutput>;

/** @throws what the model throws, or what the signal was aborted with */
export async function complete(
  start: StartAnswer,
  options: AnswerOptions,
  signal?: AbortSignal,
): Promise<AiTextGenerationOutput> {
  let response = "";
  let finish: Finish | undefined;
  for await (const chunk of answer(start, options, signal)) {
    response += chunk.text;
    finish = chunk.finish;
  }
  return { response, ...ending(finish) };
}

/** The pieces of an answer, then its usage, as the events of a stream have them. @throws like `complete` */
export async function* pieces(
  start: StartAnswer,
  options: AnswerOptions,
  signal?: AbortSignal,
): AsyncGenerator<Piece, void, void> {
  for await (const { text, finish } of answer(start, options, signal)) {
    if (text !== "") yield { response: text };
    if (finish) yield { response: "", ...ending(finish) };
  }
}

/** An answer that is cut off has no shape there: it is an error. */
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
