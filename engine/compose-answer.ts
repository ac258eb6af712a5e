// An answer from its prompt to its chunks: what holds it to a format or to calls of tools, what tells
// thoughts from it, which adapters compute it.
import type { Tokenizer } from "../tokenizer/index.ts";
import type { Adapters } from "./adapters/adapters.ts";
import { type Generation, generate } from "./answer/generate.ts";
import type { AnswerOptions, ChatOptions, Chunk, Finish, Tool } from "./api.ts";
import { plainFormat } from "./plain-format.ts";
import type { TokenConstraint } from "./scheduler/token-constraint.ts";

/** The end of an answer that was aborted before its prompt was encoded. */
const abortedEarly: Finish = {
  reason: "abort",
  ...{ promptTokens: 0, cachedTokens: 0, completionTokens: 0, waitedMs: 0, prefillMs: 0, decodeMs: 0 },
};

/** @param tools that the model was shown. Default: none */
export type Prompt = Pick<Generation, "ids" | "warnings"> & { readonly tools?: readonly Tool[] };

/** What answers need of their model. */
export interface Answering extends Pick<Generation, "scheduler" | "contextLength" | "endIds"> {
  readonly adapters: Pick<Adapters, "hold" | "release">;
  /** undefined: prompts and answers are ids. */
  readonly tokenizer: Tokenizer | undefined;
  /** Size of the vocabulary. */
  readonly V: number;
}

/** How the text of an answer begins: as a continuation, and with thoughts apart. */
interface AnswerStyle {
  readonly continues: boolean;
  readonly separate: boolean;
}

/** @param options valid: `checkGenerate` has passed @throws RangeError for an adapter that is not loaded */
export async function* composeAnswer(
  answering: Answering,
  encode: () => Promise<Prompt>,
  style: AnswerStyle,
  options: ChatOptions,
): AsyncGenerator<Chunk, void, void> {
  const { adapters } = answering;
  const mix = await adapters.hold(options.adapter);
  try {
    yield* answerBy({ ...answering, mix }, encode, style, options);
  } finally {
    adapters.release(mix);
  }
}

async function* answerBy(
  answering: Answering & Pick<Generation, "mix">,
  encode: () => Promise<Prompt>,
  { continues, separate }: AnswerStyle,
  options: ChatOptions,
): AsyncGenerator<Chunk, void, void> {
  const { tokenizer, V, endIds, scheduler, contextLength, mix } = answering;
  let prompt: Prompt;
  try {
    prompt = await encode();
  } catch (error) {
    const { signal } = options;
    if (!signal?.aborted || error !== signal.reason) throw error;
    yield { text: "", ids: [], finish: abortedEarly };
    return;
  }
  const text = tokenizer?.stream({ continues });
  const isHeld = options.format !== undefined && plainFormat(options.format).type !== "text";
  const thinking =
    separate && tokenizer
      ? (await import("./answer/thinking.ts")).thinkingAfter(prompt.ids, tokenizer, continues, isHeld)
      : undefined;
  const thinks = thinking?.hasThought === false;
  const opened = thinks ? prompt.ids : undefined;
  const constraint = await formatConstraint(answering, options.format, continues, opened);
  const parts = { tokenizer, V, endIds, thinks };
  const calls =
    prompt.tools?.length && (await import("./tools/calling.ts")).answerCalls(prompt, options, parts);
  const held = { ...prompt, ...(calls || { constraint }), endIds, mix };
  yield* generate({ scheduler, contextLength, text, thinking, ...held }, options);
}

/**
 * What holds an answer to a format. Its code is a lazy chunk.
 * @param continues whether the answer goes on with a text
 * @param opened the prompt, if it has opened a thought
 */
export async function formatConstraint(
  { tokenizer, V, endIds }: Pick<Answering, "tokenizer" | "V" | "endIds">,
  format: AnswerOptions["format"],
  continues: boolean,
  opened?: readonly number[],
): Promise<TokenConstraint | undefined> {
  if (!format) return undefined;
  const plain = plainFormat(format);
  const { answerConstraint } = await import("./answer-constraint.ts");
  return answerConstraint(plain, { tokenizer, V, endIds, continues, opened });
}
