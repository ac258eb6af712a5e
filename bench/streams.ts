// Measures streams: several requests at once, to a model or a server. Throughput of all streams, times of
// each.
import { mean, percentile } from "../eval/statistics.ts";
import { type Budget, exactly, type Figure, figure, repeat } from "./measure.ts";
import { mixedLength, type Random, random } from "./prompts.ts";
import type { Params, Unit } from "./result.ts";

export interface StreamSetting {
  /** Numbers of streams to measure, one after the other. */
  readonly streams: readonly number[];
  /** Requests at each number of streams. Default: four for each stream, at least eight. */
  readonly requests: number | undefined;
  /** Mean tokens of a prompt. */
  readonly promptTokens: number;
  /** Maximum tokens of an answer. */
  readonly answerTokens: number;
}

export interface Question {
  /** Different for every question of a run. */
  readonly index: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** Random numbers for the prompt. */
  readonly next: Random;
}

/** Token counts of an answer. */
export interface Count {
  readonly promptTokens?: number | undefined;
  readonly completionTokens: number;
}

/** Sends a question; calls `arrived` for each piece of its answer. */
export type Ask = (question: Question, arrived: () => void, signal: AbortSignal) => Promise<Count>;

export interface Streams {
  readonly ask: Ask;
  readonly setting: StreamSetting;
  readonly budget: Budget;
  readonly signal: AbortSignal;
  doing(what: string): void;
  add(name: string, unit: Unit, figure: Figure, params: Params): void;
  note(text: string): void;
}

/** Times of one answer, in milliseconds: to its first piece, and between its pieces. */
interface Timing extends Count {
  readonly first: number | undefined;
  readonly gaps: readonly number[];
}

interface Pass {
  readonly seconds: number;
  readonly timings: readonly Timing[];
}

const SEED = 20261122;
/** Warm-up requests before the first run, at least. Before later runs it is one for each stream. */
const FIRST_WARM_UP = 4;

/** Adds the figures of each number of streams when it is measured. @throws the first error of a request */
export async function measureStreams(bench: Streams): Promise<void> {
  const { setting, budget, signal } = bench;
  const passes: Pass[] = [];
  let asked = 0;
  let alone: number | undefined;
  for (const streams of setting.streams) {
    const requests = setting.requests ?? Math.max(8, 4 * streams);
    const run = async (count: number) => {
      const questions = Array.from({ length: count }, () => question(asked++, setting));
      return pass(bench, questions, streams);
    };
    const warmUp = () => run(asked === 0 ? Math.max(FIRST_WARM_UP, streams) : streams);
    const measured = await repeat(budget, signal, () => run(requests), { warmUp });
    passes.push(...measured);
    const { promptTokens, answerTokens } = setting;
    const params = { streams, requests, promptTokens, answerTokens };
    const tokens = figure(measured.map(tokensPerSecond));
    bench.add("requestsPerSecond", "requests/s", figure(measured.map((m) => requests / m.seconds)), params);
    bench.add("tokensPerSecond", "tokens/s", tokens, params);
    if (streams === 1) alone = tokens.median;
    if (alone !== undefined)
      bench.add("batchGain", "times one stream", exactly(tokens.median / alone), params);
    addTimes(bench, "firstToken", measured.map(firsts), params);
    addTimes(bench, "betweenTokens", measured.map(gaps), params);
  }
  noteLengths(
    bench,
    passes.flatMap(({ timings }) => timings),
  );
}

const tokensPerSecond = ({ seconds, timings }: Pass): number =>
  timings.reduce((sum, { completionTokens }) => sum + completionTokens, 0) / seconds;
const firsts = ({ timings }: Pass) => timings.flatMap(({ first }) => first ?? []);
const gaps = ({ timings }: Pass) => timings.flatMap((timing) => timing.gaps);

/** Skips runs without such times: answers of no piece, or of one. */
function addTimes(bench: Streams, name: string, runs: readonly (readonly number[])[], params: Params): void {
  const known = runs.filter((values) => values.length > 0);
  if (known.length === 0) return;
  for (const percent of [50, 95]) {
    const values = known.map((run) => percentile(run, percent / 100));
    bench.add(`${name}P${percent}`, "ms", figure(values), params);
  }
}

function question(index: number, { promptTokens, answerTokens }: StreamSetting): Question {
  const next = random(SEED + index);
  return { index, promptTokens: mixedLength(promptTokens, next), answerTokens, next };
}

/** Asks all questions, `streams` at a time. The first failure ends the others. */
async function pass({ ask, signal, doing }: Streams, questions: readonly Question[], streams: number) {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const timings: Timing[] = [];
  const waiting = questions.values();
  const stream = async () => {
    for (const each of waiting) {
      either.throwIfAborted();
      doing(
        `${streams} ${streams === 1 ? "stream" : "streams"}, ${timings.length} of ${questions.length} requests`,
      );
      timings.push(await time(ask, each, either));
    }
  };
  const began = performance.now();
  const ended = await Promise.allSettled(
    Array.from({ length: Math.min(streams, questions.length) }, () =>
      stream().catch((error: unknown) => {
        // Later calls change nothing: the first reason stays.
        failed.abort(error);
        throw error;
      }),
    ),
  );
  const seconds = (performance.now() - began) / 1000;
  signal.throwIfAborted();
  if (ended.some(({ status }) => status === "rejected")) throw failed.signal.reason;
  return { seconds, timings };
}

async function time(ask: Ask, question: Question, signal: AbortSignal): Promise<Timing> {
  const began = performance.now();
  let last: number | undefined;
  let first: number | undefined;
  const gaps: number[] = [];
  const arrived = () => {
    const now = performance.now();
    if (last === undefined) first = now - began;
    else gaps.push(now - last);
    last = now;
  };
  return { ...(await ask(question, arrived, signal)), first, gaps };
}

/** Notes the real lengths of prompts, and answers that were shorter than requested. */
function noteLengths({ note, setting }: Streams, timings: readonly Timing[]): void {
  const prompts = timings.flatMap(({ promptTokens }) => promptTokens ?? []);
  const answers = timings.map(({ completionTokens }) => completionTokens);
  if (prompts.length > 0) {
    const [least, most] = [Math.min(...prompts), Math.max(...prompts)];
    note(`throughput: prompts of ${least} to ${most} tokens, mean ${mean(prompts).toFixed(1)}`);
  }
  const short = answers.filter((count) => count < setting.answerTokens).length;
  if (short > 0)
    note(
      `throughput: ${short} of ${answers.length} answers ended before ${setting.answerTokens} tokens; mean of all ${mean(answers).toFixed(1)}`,
    );
}
