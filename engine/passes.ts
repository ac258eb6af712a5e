// What `score` and `logits` run on the GPU, in a ring.
import type { Tokenizer } from "../tokenizer/index.ts";
import type { Checkpoint } from "../weights/index.ts";
import type { Adapters } from "./adapters/adapters.ts";
import { likelyToken } from "./answer/log-probs.ts";
import type { PassOptions, Score, ScoreOptions } from "./api.ts";
import type { AdapterMix } from "./graph/adapter-use.ts";
import { type Scored, score as scoreIds } from "./graph/score.ts";
import { outOfRange } from "./options/parameter.ts";
import type { TaskBody } from "./scheduler/exclusive-task.ts";
import type { Scheduler } from "./scheduler/scheduler.ts";

/** What passes need of a model. */
interface Passing {
  readonly scheduler: Scheduler;
  readonly adapters: Adapters;
  readonly tokenizer: Tokenizer | undefined;
  readonly checkpoint: Pick<Checkpoint, "config">;
}

/** @throws RangeError with `parameter` */
export async function score(
  { scheduler, adapters, tokenizer, checkpoint }: Passing,
  ids: readonly number[],
  { from = 1, topLogProbs, adapter: choice, signal }: ScoreOptions,
): Promise<Score> {
  checkScored(ids, from);
  const top = Math.min(topLogProbs ?? 0, checkpoint.config.V);
  const rows = await adapters.using(choice, (mix) => {
    const run = scoreOf(ids, from, top, signal, mix);
    return scheduler.runExclusive((rings) => rings.take(ids, mix), run, { signal });
  });
  const width = 1 + top;
  const logProbs = rows.logProbs.filter((_, i) => i % width === 0);
  const ranks = rows.tokens.filter((_, i) => i % width === 0);
  const mean = logProbs.reduce((sum, value) => sum + value, 0) / logProbs.length;
  const result = { logProbs, ranks, perplexity: Math.exp(-mean) };
  if (topLogProbs === undefined) return result;
  const decoder = tokenizer?.stream({ continues: true });
  const likely = (i: number) => likelyToken({ id: rows.tokens[i]!, logProb: rows.logProbs[i]! }, decoder);
  const row = (t: number) => Array.from({ length: top }, (_, k) => likely(t * width + 1 + k));
  return { ...result, top: Array.from(logProbs, (_, t) => row(t)) };
}

function checkScored(ids: readonly number[], from: number): void {
  if (ids.length < 2)
    throw outOfRange("text", "expected at least two tokens, got one, which has no token before it.");
  if (from >= ids.length)
    throw outOfRange("from", `expected at most ${ids.length - 1}, the last token, got ${from}.`);
}

/** Scores ids[from …]. What the ring holds of the tokens before them is kept. */
const scoreOf = (
  ids: readonly number[],
  from: number,
  top: number,
  signal: AbortSignal | undefined,
  mix: AdapterMix | undefined,
): TaskBody<Scored> =>
  async function* ({ decoder }, ring) {
    ring.use(mix, decoder);
    // The pass that scores a token runs the one before it.
    const first = from - 1;
    const start = Math.min(ring.reusable(ids, mix), first);
    ring.begin(ids, start);
    // Recorded first: the call may fail in the middle.
    ring.wrote(ids.length - 1);
    if (start < first) {
      yield* decoder.prefillInChunks(ring.index, ids.slice(start, first), start, signal);
      yield;
    }
    const rows = yield* scoreIds(decoder, ring.index, ids, signal, first, top);
    ring.commit(ids, ids.length - 1, "prefill");
    return rows;
  };

/** See `Model.logits`. @param ids some that the model has */
export const logits = (
  { scheduler, adapters }: Pick<Passing, "scheduler" | "adapters">,
  ids: readonly number[],
  { adapter: choice, signal }: PassOptions,
): Promise<Float32Array> =>
  adapters.using(choice, (mix) => {
    const run = logitsOf(ids, signal, mix);
    return scheduler.runExclusive((rings) => rings.borrow(ids, mix), run, { signal });
  });

/** Logits [V] after the last of `ids`. */
const logitsOf = (
  ids: readonly number[],
  signal: AbortSignal | undefined,
  mix: AdapterMix | undefined,
): TaskBody<Float32Array> =>
  async function* ({ decoder }, ring) {
    ring.use(mix, decoder);
    const start = ring.reusable(ids, mix);
    // If the ring holds them all, only the last token is recomputed, in place; the tokens after it stay.
    const held = ring.holds(ids, mix);
    if (!held) {
      ring.begin(ids, start);
      // Recorded first: the call may fail in the middle.
      ring.wrote(ids.length);
    }
    yield* decoder.prefillInChunks(ring.index, ids.slice(start), start, signal);
    const logits = await decoder.logits(ring.index, ids.length - 1);
    if (!held) ring.commit(ids, ids.length, "prefill");
    return logits;
  };
