// Prefill, then steps in flight, until a stop: ids and text as they come.
import type { StreamDecoder } from "../tokenizer/index.ts";
import type { Chunk, Finish, GenerateOptions } from "./api.ts";
import type { Cache } from "./cache.ts";
import type { Decoder } from "./decoder.ts";
import { ContextLengthError } from "./errors.ts";
import { Flight } from "./flight.ts";
import { StopStrings } from "./stop-strings.ts";

export interface Generation {
  readonly decoder: Decoder;
  readonly cache: Cache;
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
  { decoder, cache, ids, text, endIds }: Generation,
  options: GenerateOptions,
): AsyncGenerator<Chunk, void, void> {
  const { shape } = decoder;
  const { signal } = options;
  const began = performance.now();
  // The last token of an answer needs no slot: nothing comes after it.
  const room = shape.positions - ids.length + 1;
  if (room < 1) {
    throw new ContextLengthError(
      `prompt: expected at most ${shape.positions} tokens, got ${ids.length}. Shorten it, or load with a larger contextLength.`,
    );
  }
  const maxTokens = Math.min(checkedMaxTokens(options.maxTokens), room);
  const stops = new StopStrings(options.stop);
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  decoder.configure(options, seed, ids);

  const cachedTokens = cache.reusable(ids);
  const answer: number[] = [];
  let steps = 0;
  let firstAt = began;
  const finish = (reason: Finish["reason"]): Finish => ({
    reason,
    promptTokens: ids.length,
    cachedTokens,
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

  const flight = new Flight();
  cache.begin(ids, cachedTokens);
  let written = cachedTokens;
  try {
    if (signal?.aborted) {
      yield { text: "", ids: [], finish: finish("abort") };
      return;
    }
    try {
      await decoder.prefill(ids.slice(cachedTokens), cachedTokens, signal);
    } catch (error) {
      if (!signal?.aborted) throw error;
      // Chunks done before the abort are lost with it: how many were is not known here.
      cache.begin(ids, 0);
      written = 0;
      yield { text: "", ids: [], finish: finish("abort") };
      return;
    }
    written = ids.length;
    if (maxTokens === 0) {
      yield { text: "", ids: [], finish: finish("length") };
      return;
    }
    flight.submit(decoder.first());
    for (;;) {
      while (flight.hasRoom && steps + 1 < maxTokens) {
        steps++;
        flight.submit(decoder.step());
      }
      written = ids.length + steps;
      const id = await flight.next();
      if (answer.length === 0) firstAt = performance.now();
      if (!options.ignoreEos && endIds.has(id)) {
        yield { text: ending().text, ids: [], finish: finish("stop") };
        return;
      }
      answer.push(id);
      const { text: piece, stopped } = stops.push(textOf(id));
      if (stopped) {
        yield { text: piece, ids: [id], finish: finish("stop") };
        return;
      }
      if (answer.length === maxTokens || signal?.aborted) {
        const rest = ending();
        const reason = rest.stopped ? "stop" : answer.length === maxTokens ? "length" : "abort";
        yield { text: piece + rest.text, ids: [id], finish: finish(reason) };
        return;
      }
      yield { text: piece, ids: [id] };
    }
  } catch (error) {
    cache.begin(ids, 0);
    written = 0;
    throw error;
  } finally {
    // Steps past the stop are taken back: their slots hold nothing that a later token will see.
    await flight.landed();
    if (written > 0) cache.commit([...ids, ...answer], written);
  }
}

function checkedMaxTokens(maxTokens = DEFAULT_MAX_TOKENS): number {
  if (Number.isInteger(maxTokens) && maxTokens >= 0) return maxTokens;
  throw new RangeError(`maxTokens: expected a whole number, got ${maxTokens}.`);
}
