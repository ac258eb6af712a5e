// Scores the tokens of a text, chunk by chunk. A lazy chunk.
import { LOG_PROB_RESULTS, NO_TARGET } from "../../kernels/index.ts";
import { SCORE_ROWS } from "./activations.ts";
import type { Decoder } from "./decoder.ts";

/** Results of `score`: a row for each scored token. */
export interface Scored {
  /** [rows, 1 + top]: the token's, then those of the likeliest tokens. */
  readonly logProbs: Float32Array;
  /** [rows, 1 + top]: the token's rank, then the ids of the likeliest tokens. */
  readonly tokens: Uint32Array;
}

/**
 * Log-probabilities and ranks of ids[start + 1 …], each given all tokens before it. Yields between chunks, so
 * that others may run.
 * @param start the ring holds the tokens before
 * @param top how many of the likeliest tokens are added to each row, at most MAX_LIKELIEST and V
 */
export async function* score(
  decoder: Decoder,
  ring: number,
  ids: readonly number[],
  signal?: AbortSignal,
  start = 0,
  top = 0,
): AsyncGenerator<void, Scored, void> {
  decoder.checkIds(ids);
  const { targets, logProbs, tokens } = decoder.activations.prefill;
  const step = Math.min(SCORE_ROWS, decoder.shape.chunkLength);
  const width = 1 + top;
  const words = width * (ids.length - 1 - start);
  const result = { logProbs: new Float32Array(words), tokens: new Uint32Array(words) };
  decoder.begin(ring);
  for (let at = start; at < ids.length - 1; at += step) {
    if (at > start) yield;
    signal?.throwIfAborted();
    const chunk = ids.slice(at, Math.min(at + step, ids.length - 1));
    await decoder.prefillChunk(ring, chunk, at, signal, false);
    const next = Array.from({ length: SCORE_ROWS }, (_, i) =>
      i < chunk.length ? [ids[at + i + 1]!, top] : [NO_TARGET, 0],
    );
    decoder.submitter.writeBuffer(targets, 0, new Uint32Array(next.flat()));
    await decoder.submitter.run([decoder.listsOf([ring]).score], { signal });
    const bytes = 4 * LOG_PROB_RESULTS * chunk.length;
    const read = (buffer: GPUBuffer) => decoder.readback.bytes(buffer, 0, bytes);
    const [chances, found] = await Promise.all([read(logProbs), read(tokens)]);
    for (const i of chunk.keys()) {
      const row = [4 * LOG_PROB_RESULTS * i, width] as const;
      result.logProbs.set(new Float32Array(chances, ...row), width * (at - start + i));
      result.tokens.set(new Uint32Array(found, ...row), width * (at - start + i));
    }
  }
  return result;
}
