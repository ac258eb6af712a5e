// constrained: answers held to a JSON Schema, alone and beside free ones; and the host's time for a mask.
import { percentile } from "../eval/statistics.ts";
import { exactly, figure, repeat } from "./measure.ts";
import { idsPrompt, type Random, random } from "./prompts.ts";
import type { Bench, Suite } from "./suite.ts";

/** Long enough for every answer to be cut off: all have the same number of tokens. */
const SCHEMA = {
  type: "array",
  minItems: 32,
  items: {
    type: "object",
    properties: {
      name: { type: "string", maxLength: 12 },
      age: { type: "integer", minimum: 0, maximum: 120 },
      colour: { enum: ["red", "green", "blue"] },
      address: {
        type: "object",
        properties: { street: { type: "string", maxLength: 16 }, city: { type: "string", maxLength: 8 } },
        required: ["street", "city"],
        additionalProperties: false,
      },
      active: { type: "boolean" },
    },
    required: ["name", "age", "colour", "address", "active"],
    additionalProperties: false,
  },
};
const FORMAT = { type: "json_schema", schema: SCHEMA } as const;
const SEED = 20261129;
const PROMPT_TOKENS = 8;
/** Masks of a run. */
const MASKS = 400;

/** Answers at once. */
interface Rows {
  readonly free: number;
  readonly constrained: number;
}

export const constrained: Suite = async (bench) => {
  const { loaded, budget, signal, streams } = bench;
  const answerTokens = Math.min(streams.answerTokens, loaded.contextLength - PROMPT_TOKENS);
  if (!(await measureMasks(bench)) || answerTokens < 2) return;
  let asked = 0;
  const of = async (rows: Rows, tokens: number) => {
    bench.doing(`${rows.free} free, ${rows.constrained} constrained`);
    asked += rows.free + rows.constrained;
    return await together(bench, rows, asked, tokens);
  };
  /** Settings in turns, so that both sides of a ratio meet the same load of the machine. */
  const inTurns = <T>(run: (tokens: number) => Promise<T>): Promise<T[]> =>
    repeat(budget, signal, () => run(answerTokens), { warmUp: () => run(4) });
  const add = (
    rows: Rows,
    runs: readonly Rates[],
    more: Readonly<Record<string, readonly number[]>> = {},
  ) => {
    const params = { ...rows, answerTokens };
    const rates = { freeTokensPerSecond: "free", constrainedTokensPerSecond: "constrained" } as const;
    for (const [name, kind] of Object.entries(rates))
      if (rows[kind] > 0) bench.add(name, "tokens/s", figure(runs.map((run) => run[kind])), params);
    for (const [name, ratios] of Object.entries(more)) bench.add(name, "times", figure(ratios), params);
  };

  const one: Rows = { free: 1, constrained: 0 };
  const oneHeld: Rows = { free: 0, constrained: 1 };
  const alone = await inTurns(async (tokens) => ({
    free: await of(one, tokens),
    held: await of(oneHeld, tokens),
  }));
  add(
    one,
    alone.map(({ free }) => free),
  );
  add(
    oneHeld,
    alone.map(({ held }) => held),
    { timeOverFree: alone.map(({ free, held }) => free.free / held.constrained) },
  );

  const many = Math.min(Math.max(...streams.streams), loaded.plan.parallel);
  if (many === 1) return;
  const all: Rows = { free: many, constrained: 0 };
  const mixed: Rows = { free: many - 1, constrained: 1 };
  const allHeld: Rows = { free: 0, constrained: many };
  const batches = await inTurns(async (tokens) => ({
    free: await of(all, tokens),
    mixed: await of(mixed, tokens),
    held: await of(allHeld, tokens),
  }));
  add(
    all,
    batches.map(({ free }) => free),
  );
  add(
    mixed,
    batches.map((batch) => batch.mixed),
    { freeTimeOverAllFree: batches.map((batch) => batch.free.free / batch.mixed.free) },
  );
  add(
    allHeld,
    batches.map(({ held }) => held),
    { timeOverFree: batches.map(({ free, held }) => free.free / held.constrained) },
  );
};

/** Tokens a second of an answer of each kind; NaN if there is none. */
type Rates = Readonly<Record<keyof Rows, number>>;

/** Runs answers at once. @returns their rates while all of them run */
async function together(
  { loaded, signal }: Bench,
  rows: Rows,
  asked: number,
  maxTokens: number,
): Promise<Rates> {
  const answers = Array.from({ length: rows.free + rows.constrained }, async (_, i) => {
    const isFree = i < rows.free;
    const seed = SEED + asked + i;
    const prompt = idsPrompt(asked + i, PROMPT_TOKENS, loaded.config.V, random(seed));
    const options = { maxTokens, temperature: 1, seed, signal: AbortSignal.any([signal]) };
    const held = isFree ? { ignoreEos: true } : { format: FORMAT };
    const times: number[] = [];
    for await (const { ids } of loaded.generate(prompt, { ...options, ...held }))
      for (const _ of ids) times.push(performance.now());
    signal.throwIfAborted();
    return { isFree, times };
  });
  const arrived = await Promise.all(answers);
  const begin = Math.max(...arrived.map(({ times }) => times[0] ?? Infinity));
  const end = Math.min(...arrived.map(({ times }) => times.at(-1) ?? 0));
  const rate = (kind: boolean): number => {
    const own = arrived.filter(({ isFree }) => isFree === kind);
    const count = own.reduce((sum, { times }) => sum + times.filter((t) => t > begin && t <= end).length, 0);
    return (1000 * count) / (end - begin) / own.length;
  };
  return { free: rate(true), constrained: rate(false) };
}

/**
 * The host's time for a token of a constrained answer: taking the last one in, what is forced, the mask.
 * @returns false if the model's tokens have no texts
 */
async function measureMasks(bench: Bench): Promise<boolean> {
  const { loaded, budget, signal } = bench;
  const { V } = loaded.config;
  const began = performance.now();
  const make = () => loaded.constraint({ type: "json_schema", schema: { ...SCHEMA } }, false);
  try {
    (await make())?.mask();
  } catch (error) {
    if ((error as { code?: string }).code !== "unsupported") throw error;
    bench.note("constrained: the tokens of this model have no texts");
    return false;
  }
  const params = { V };
  bench.add("firstMaskMs", "ms", exactly(performance.now() - began), params);
  let seed = SEED;
  const walk = async () => {
    const next = random(seed++);
    // Made anew: nothing is known from the run before.
    const constraint = await make();
    const times: number[] = [];
    while (constraint && times.length < MASKS) {
      const id = anyOf(constraint.mask(), next);
      const started = performance.now();
      constraint.accept(id);
      if (constraint.complete) break;
      constraint.forced?.();
      constraint.mask();
      times.push(performance.now() - started);
    }
    return times;
  };
  const runs = await repeat(budget, signal, walk);
  for (const percent of [50, 95])
    bench.add(`maskP${percent}`, "ms", figure(runs.map((times) => percentile(times, percent / 100))), params);
  return true;
}

/** A token that the mask allows. */
function anyOf(mask: Uint32Array, next: Random): number {
  const ids = [...mask].flatMap((word, i) =>
    Array.from({ length: 32 }, (_, bit) => bit).flatMap((bit) => (word & (1 << bit) ? [32 * i + bit] : [])),
  );
  return ids[Math.floor(next() * ids.length)] ?? 0;
}
