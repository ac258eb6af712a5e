// One answer: reads picked tokens from its sequence, and yields ids and text until the answer ends.
import type { StreamDecoder } from "../../tokenizer/index.ts";
import type { Chunk, Finish, GenerateOptions } from "../api.ts";
import { ContextLengthError } from "../errors.ts";
import type { AdapterMix } from "../graph/adapter-use.ts";
import { DEFAULT_MAX_TOKENS, DEFAULT_SAMPLING } from "../options/defaults.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { Sequence } from "../scheduler/sequence.ts";
import type { TokenConstraint } from "../scheduler/token-constraint.ts";
import { AnswerText, type Calls } from "./answer-text.ts";
import type { Thinking } from "./thinking.ts";

export interface Generation {
  /** Computes the tokens. */
  readonly scheduler: Pick<Scheduler, "join" | "leave">;
  /** Maximum number of tokens of prompt and answer together. */
  readonly contextLength: number;
  /** Prompt, of at least one token. */
  readonly ids: readonly number[];
  /** Turns ids into text; undefined: the answer is ids only. */
  readonly text: StreamDecoder | undefined;
  /** Ids that end the answer, and are not part of it. */
  readonly endIds: ReadonlySet<number>;
  /** Warnings about the prompt, for the answer's `finish`. */
  readonly warnings?: readonly string[] | undefined;
  /** Tells thoughts from the answer's text. Default: they are part of it. */
  readonly thinking?: Thinking | undefined;
  /** Takes calls of tools out of the answer's text. Default: there are none. */
  readonly calls?: Calls | undefined;
  /** Which tokens may be picked. Default: all. */
  readonly constraint?: TokenConstraint | undefined;
  /** The adapters that they are computed with. Default: none. */
  readonly mix?: AdapterMix | undefined;
}

/**
 * @param options valid: `checkGenerate` has passed
 * @throws ContextLengthError if the prompt does not fit
 */
export async function* generate(
  {
    scheduler,
    contextLength,
    ids,
    text,
    endIds,
    warnings = [],
    thinking,
    calls,
    constraint,
    mix,
  }: Generation,
  options: GenerateOptions,
): AsyncGenerator<Chunk, void, void> {
  const { signal, temperature = DEFAULT_SAMPLING.temperature, topP = DEFAULT_SAMPLING.topP } = options;
  const called = performance.now();
  // The last token of an answer needs no position in the cache: no token follows it.
  const room = contextLength - ids.length + 1;
  if (room < 1) {
    throw new ContextLengthError(
      `prompt: expected at most ${contextLength} tokens, got ${ids.length}. Shorten it, or load with a larger contextLength.`,
    );
  }
  const maxTokens = Math.min(options.maxTokens ?? DEFAULT_MAX_TOKENS, room);
  const words = new AnswerText(text, options, thinking, calls);
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  const answer: number[] = [];
  const wantsLogits = options.topLogProbs !== undefined;
  let sequence: Sequence | undefined;
  let began = called;
  let firstAt = called;
  const finish = (reason: Finish["reason"]): Finish => ({
    reason: reason === "stop" && words.called ? "tool-calls" : reason,
    promptTokens: ids.length,
    cachedTokens: sequence?.cachedTokens ?? 0,
    completionTokens: answer.length,
    ...(words.reasoningTokens > 0 && { reasoningTokens: words.reasoningTokens }),
    waitedMs: began - called,
    prefillMs: (answer.length > 0 ? firstAt : performance.now()) - began,
    decodeMs: answer.length > 0 ? performance.now() - firstAt : 0,
    ...(warnings.length > 0 && { warnings }),
  });

  const last = (
    { text, ids, logProbs, reasoning, toolCalls }: Omit<Chunk, "finish">,
    reason: Finish["reason"],
  ): Chunk => ({
    text,
    ids,
    ...(reasoning && { reasoning }),
    ...(toolCalls && { toolCalls }),
    ...(logProbs && logProbs.length > 0 && { logProbs }),
    finish: finish(reason),
  });

  try {
    if (signal?.aborted) {
      yield { text: "", ids: [], finish: finish("abort") };
      return;
    }
    const { onProgress } = options;
    const asked = {
      ...{ prompt: ids, maxTokens, wantsLogits, settings: { ...options, temperature, topP }, seed, signal },
      constraint,
      mix,
      onProgress,
    };
    sequence = await scheduler.join(asked);
    began = performance.now();
    if (maxTokens === 0) {
      await sequence.prefilled();
      yield { text: "", ids: [], finish: finish("length") };
      return;
    }
    for (;;) {
      const picked = await sequence.next();
      if (answer.length === 0) firstAt = performance.now();
      if (!options.ignoreEos && endIds.has(picked.id)) {
        yield last(words.end(picked), "stop");
        return;
      }
      answer.push(picked.id);
      const { isComplete } = sequence;
      const isFull = answer.length === maxTokens;
      const isLast = isComplete || isFull || signal?.aborted === true;
      const { stopped, ...piece } = words.push(picked, isLast);
      if (stopped || isLast) {
        yield last(piece, stopped || isComplete ? "stop" : isFull ? "length" : "abort");
        return;
      }
      // Tokens that may belong to a stop string are held back.
      if (piece.ids.length > 0 || piece.reasoning || piece.toolCalls) yield piece;
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
    // Aborted while waiting for a ring, in the prefill, or while a lost device was replaced.
    yield last(words.end(), "abort");
  } finally {
    if (sequence) await scheduler.leave(sequence, answer);
  }
}
