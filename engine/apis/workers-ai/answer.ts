// An answer in Workers AI's shapes, from a loaded model wherever it runs: this knows `Model.chat` and `Model.generate`.
import type { Chunk, Finish, Model } from "../../api.ts";
import type { AiCall } from "./input.ts";
import type { AiTextGenerationOutput } from "./types.ts";

/** What `Ai` uses of a loaded model. */
export type AiModel = Pick<Model, "chat" | "generate">;

/** An answer or a part of it; the usage stands on the last part. */
type Piece = Pick<AiTextGenerationOutput, "response"> & Partial<AiTextGenerationOutput>;

/** @throws what the model throws, or what the signal was aborted with */
export async function complete(
  model: AiModel,
  call: AiCall,
  signal?: AbortSignal,
): Promise<AiTextGenerationOutput> {
  let response = "";
  let finish: Finish | undefined;
  for await (const chunk of answer(model, call, signal)) {
    response += chunk.text;
    finish = chunk.finish;
  }
  return { response, ...ending(finish) };
}

/** The pieces of an answer, then its usage, as the events of a stream have them. @throws like `complete` */
export async function* pieces(
  model: AiModel,
  call: AiCall,
  signal?: AbortSignal,
): AsyncGenerator<Piece, void, void> {
  for await (const { text, finish } of answer(model, call, signal)) {
    if (text !== "") yield { response: text };
    if (finish) yield { response: "", ...ending(finish) };
  }
}

/** An answer that is cut off has no shape there: it is an error. */
async function* answer(
  model: AiModel,
  { prompt, options }: AiCall,
  signal: AbortSignal | undefined,
): AsyncGenerator<Chunk, void, void> {
  const given = signal ? { ...options, signal } : options;
  const chunks = typeof prompt === "string" ? model.generate(prompt, given) : model.chat(prompt, given);
  for await (const chunk of chunks) {
    if (chunk.finish?.reason === "abort") signal?.throwIfAborted();
    yield chunk;
  }
}

function ending(finish: Finish | undefined): Pick<AiTextGenerationOutput, "usage" | "warnings"> {
  const { promptTokens: prompt = 0, completionTokens: completion = 0, warnings } = finish ?? {};
  const usage = { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
  return { usage, ...(warnings && { warnings }) };
}
