// An answer as it streams: prints pieces, and collects text, ids and statistics.
import type { Chunk, Finish, Model } from "./engine.ts";
import { formatDuration, threeDigits } from "./format.ts";
import { adapterField, type LoadingOptions, withAdapter } from "./options.ts";

export interface Answer {
  readonly text: string;
  /** What the model thought; empty if it did not. */
  readonly reasoning: string;
  readonly ids: readonly number[];
  readonly finish: Finish;
}

/** Passes each piece of text to `write` at once, and each of what the model thinks to `think`. */
export async function collectAnswer(
  chunks: AsyncIterable<Chunk>,
  write: (text: string) => void,
  think: (reasoning: string) => void = () => {},
): Promise<Answer> {
  let text = "";
  let reasoning = "";
  const ids: number[] = [];
  let finish: Finish | undefined;
  for await (const chunk of chunks) {
    text += chunk.text;
    ids.push(...chunk.ids);
    if (chunk.reasoning) {
      reasoning += chunk.reasoning;
      think(chunk.reasoning);
    }
    if (chunk.text) write(chunk.text);
    finish = chunk.finish;
  }
  if (!finish)
    throw new Error("answer: expected a finish on the last chunk, got none. This is a bug in the engine.");
  return { text, reasoning, ids, finish };
}

/** Tokens a second, without the first token; undefined if there was only one. */
function decodeRate({ completionTokens, decodeMs }: Finish): number | undefined {
  return completionTokens > 1 && decodeMs > 0 ? ((completionTokens - 1) / decodeMs) * 1000 : undefined;
}

/** "1,234 tokens". */
export const tokens = (count: number): string => `${count.toLocaleString("en-US")} tokens`;

/** Whether old tokens make room for new ones, as with an attention window. */
export const isUnlimited = ({ plan }: Pick<Model, "plan">): boolean => plan.cacheSlots < plan.contextLength;

/**
 * "64 tokens (length), 35.2 tokens/s, first after 120 ms, bf16 on llvmpipe, seed 7".
 * @param inChat how full the context is, in place of formats and adapter. Default false
 */
export function statsLine(
  { finish }: Answer,
  model: Model,
  options: LoadingOptions,
  seed: number,
  inChat = false,
): string {
  const { plan, adapter, contextLength } = model;
  const used = finish.promptTokens + finish.completionTokens;
  const meter = isUnlimited(model)
    ? tokens(used)
    : `${used.toLocaleString("en-US")} of ${tokens(contextLength)}`;
  const rate = decodeRate(finish);
  const isUnbegun = finish.completionTokens === 0 && finish.reason === "abort";
  return [
    `${finish.completionTokens} tokens (${finish.reason})`,
    ...(rate === undefined ? [] : [`${threeDigits(rate)} tokens/s`]),
    ...(isUnbegun ? [] : [`first after ${formatDuration(finish.prefillMs)}`]),
    inChat ? `context ${meter}` : `${plan.weights}${withAdapter(options)} on ${adapter.name}`,
    `seed ${seed}`,
  ].join(", ");
}

/** The object that --json prints for an answer. With its seed the answer can be repeated. */
export const answerRecord = (
  { text, reasoning, ids, finish }: Answer,
  { plan, adapter }: Model,
  options: LoadingOptions,
  seed: number,
) => ({
  text,
  ...(reasoning !== "" && { reasoning }),
  ids,
  finish,
  seed,
  weights: plan.weights,
  adapter: adapter.name,
  ...adapterField(options),
});
