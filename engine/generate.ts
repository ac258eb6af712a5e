// Ids and text of an answer as they come, until a stop.
import type { StreamDecoder } from "../tokenizer/index.ts";
import type { Chunk, Finish, GenerateOptions, TokenLogProb } from "./api.ts";
import type { Cache } from "./cache.ts";
import { Continuation } from "./continuation.ts";
import { ContextLengthError } from "./errors.ts";
import { checkedTop, logProbOf } from "./log-probs.ts";
import type { Residence } from "./residence.ts";
import { StopStrings } from "./stop-strings.ts";

export interface Generation {
  /** Each token is asked of it, so that an answer goes on where a device is lost. */
  readonly residence: Pick<Residence, "run">;
  readonly cache: Cache;
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
const DEFAULT_MAX_TOKENS = 512;

/** @throws ContextLengthError where the prompt does not fit. RangeError for options out of range. */
export async function* generate(
  { residence, cache, contextLength, ids, text, endIds }: Generation,
  options: GenerateOptions,
): AsyncGenerator<Chunk, void, void> {
  const { signal } = options;
  const began = performance.now();
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
  const continuation = new Continuation({
    cache,
    prompt: ids,
    answer,
    maxTokens,
    observed: topLogProbs !== undefined,
    settings: options,
    seed,
    signal,
  });
  let firstAt = began;
  const finish = (reason: Finish["reason"]): Finish => ({
    reason,
    promptTokens: ids.length,
    cachedTokens: continuation.cachedTokens,
    completionTokens: answer.length,
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

  const withLogProbs = (id: number): { logProbs?: readonly TokenLogProb[] } => {
    const { logits } = continuation;
    if (!logits || topLogProbs === undefined) return {};
    return { logProbs: [logProbOf(id, logits, topLogProbs, text)] };
  };

  try {
    if (signal?.aborted) {
      yield { text: "", ids: [], finish: finish("abort") };
      return;
    }
    if (maxTokens === 0) {
      await residence.run(({ decoder }) => continuation.begin(decoder), signal);
      yield { text: "", ids: [], finish: finish("length") };
      return;
    }
    for (;;) {
      const id = await residence.run(({ decoder }) => continuation.next(decoder), signal);
      if (answer.length === 0) firstAt = performance.now();
      if (!options.ignoreEos && endIds.has(id)) {
        yield { text: ending().text, ids: [], finish: finish("stop") };
        return;
      }
      answer.push(id);
      const { text: piece, stopped } = stops.push(textOf(id));
      if (stopped) {
        yield { text: piece, ids: [id], ...withLogProbs(id), finish: finish("stop") };
        return;
      }
      if (answer.length === maxTokens || signal?.aborted) {
        const rest = ending();
        const reason = rest.stopped ? "stop" : answer.length === maxTokens ? "length" : "abort";
        yield { text: piece + rest.text, ids: [id], ...withLogProbs(id), finish: finish(reason) };
        return;
      }
      yield { text: piece, ids: [id], ...withLogProbs(id) };
    }
  } catch (error) {
    continuation.abandon();
    if (!signal?.aborted) throw error;
    // In a prefill, or while a lost device is replaced.
    yield { text: ending().text, ids: [], finish: finish("abort") };
  } finally {
    await continuation.end();
  }
}

function checkedMaxTokens(maxTokens = DEFAULT_MAX_TOKENS): number {
  if (Number.isInteger(maxTokens) && maxTokens >= 0) return maxTokens;
  throw new RangeError(`maxTokens: expected a whole number, got ${maxTokens}.`);
}
