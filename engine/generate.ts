// Ids and text of an answer as they come, until a stop.
import type { StreamDecoder } from "../tokenizer/index.ts";
import type { Chunk, Finish, GenerateOptions, TokenLogProb } from "./api.ts";
import type { Batch } from "./batch.ts";
import type { Picked } from "./decoder.ts";
import { ContextLengthError } from "./errors.ts";
import { checkedTop, logProbOf } from "./log-probs.ts";
import type { Sequence } from "./sequence.ts";
import { StopStrings } from "./stop-strings.ts";

export interface Generation {
  /** Where each token is computed, beside those of others. */
  readonly batch: Pick<Batch, "join" | "leave">;
  /** Most tokens of prompt and answer. */
  readonly contextLength: number;
  /** Prompt, of at least one token. */
  readonly ids: readonly number[];
  /** Turns ids into the answer's text; without one the answer is ids only. */
  readonly text: StreamDecoder | undefined;
  /** Ids that end the answer; they are not part of it. */
  readonly endIds: ReadonlySet<number>;
}

/** Where the length of an answer is bounded by neither `maxTokens` nor the context. */
export const DEFAULT_MAX_TOKENS = 512;

/** @throws ContextLengthError where the prompt does not fit. RangeError for options out of range. */
export async function* generate(
  { batch, contextLength, ids, text, endIds }: Generation,
  options: GenerateOptions,
): AsyncGenerator<Chunk, void, void> {
  const { signal } = options;
  const called = performance.now();
  // The last token of an answer needs no slot: nothing comes after it.
  const room = contextLength - ids.length + 1;
  if (room < 1) {
    throw new ContextLengthError(
      `prompt: expected at most ${contextLength} tokens, got ${ids.length}. Shorten it, or load with a larger contextLength.`,
    );
  }
  const maxTokens = Math.min(checkedMaxTokens(options.maxTokens), room);
  const stops = new StopStrings(options.stop);
  const topLogProbs = checkedTop(options.topLogProbs);
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  const answer: number[] = [];
  const observed = topLogProbs !== undefined;
  let sequence: Sequence | undefined;
  let began = called;
  let firstAt = called;
  const finish = (reason: Finish["reason"]): Finish => ({
    reason,
    promptTokens: ids.length,
    cachedTokens: sequence?.cachedTokens ?? 0,
    completionTokens: answer.length,
    waitedMs: began - called,
    prefillMs: (answer.length > 0 ? firstAt : performance.now()) - began,
    decodeMs: answer.length > 0 ? performance.now() - firstAt : 0,
  });

  /** What decoder and stop strings still hold when no token follows. */
  const ending = () => {
    const last = stops.push(text?.end() ?? "");
    return last.stopped ? last : { text: last.text + stops.end(), stopped: false };
  };

  /** An id that the vocabulary does not name, from logits padded past it, has no text. */
  const textOf = (id: number): string => (text?.knows(id) ? text.push(id) : "");

  const withLogProbs = ({ id, logits }: Picked): { logProbs?: readonly TokenLogProb[] } => {
    if (!logits || topLogProbs === undefined) return {};
    return { logProbs: [logProbOf(id, logits, topLogProbs, text)] };
  };

  try {
    if (signal?.aborted) {
      yield { text: "", ids: [], finish: finish("abort") };
      return;
    }
    sequence = await batch.join({ prompt: ids, maxTokens, observed, settings: options, seed, signal });
    began = performance.now();
    if (maxTokens === 0) {
      await sequence.prefilled();
      yield { text: "", ids: [], finish: finish("length") };
      return;
    }
    for (;;) {
      const picked = await sequence.next();
      const { id } = picked;
      if (answer.length === 0) firstAt = performance.now();
      if (!options.ignoreEos && endIds.has(id)) {
        yield { text: ending().text, ids: [], finish: finish("stop") };
        return;
      }
      answer.push(id);
      const { text: piece, stopped } = stops.push(textOf(id));
      if (stopped) {
        yield { text: piece, ids: [id], ...withLogProbs(picked), finish: finish("stop") };
        return;
      }
      if (answer.length === maxTokens || signal?.aborted) {
        const rest = ending();
        const reason = rest.stopped ? "stop" : answer.length === maxTokens ? "length" : "abort";
        yield { text: piece + rest.text, ids: [id], ...withLogProbs(picked), finish: finish(reason) };
        return;
      }
      yield { text: piece, ids: [id], ...withLogProbs(picked) };
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
    // In line, in a prefill, or while a lost device is replaced.
    yield { text: ending().text, ids: [], finish: finish("abort") };
  } finally {
    if (sequence) await batch.leave(sequence, answer);
  }
}

function checkedMaxTokens(maxTokens = DEFAULT_MAX_TOKENS): number {
  if (Number.isInteger(maxTokens) && maxTokens >= 0) return maxTokens;
  throw new RangeError(`maxTokens: expected a whole number, got ${maxTokens}.`);
}
