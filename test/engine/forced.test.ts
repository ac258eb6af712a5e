// Tokens that a constraint forces go through prefill together: the same answer as step by step, in fewer
// steps.
import { afterEach, expect, test } from "vitest";
import { type Chunk, loadModel } from "../../engine/node.ts";
import { leastForced } from "../../engine/scheduler/least-forced.ts";
import { RingState } from "../../engine/scheduler/ring-state.ts";
import type { TokenConstraint } from "../../engine/scheduler/token-constraint.ts";
import { expectNoUnhandledRejections, openTestDevice } from "../helpers.ts";
import { type Ask, opened, PROMPT, start } from "./constrained.ts";
import { loseAtSubmission } from "./losing-devices.ts";

afterEach(() => {
  for (const each of opened.splice(0)) each.dispose();
});
expectNoUnhandledRejections();

/** Enough on every adapter. */
const RUN = 14;
/** Of each token the id that must come, or undefined where any even one may. */
type Script = readonly (number | undefined)[];
const run = (length: number, seed: number): Script =>
  Array.from({ length }, (_, i) => (seed + 3 * i * i) % 50);
const anyOf = (length: number): Script => Array.from({ length });
/** Longer than what a ring has beside its window. */
const LONG = 30;
const SCRIPT: Script = [...anyOf(3), ...run(LONG, 4), ...anyOf(4), ...run(RUN, 9), ...anyOf(5)];
const FORCED = LONG + RUN;

class Scripted implements TokenConstraint {
  readonly accepted: number[] = [];
  readonly #V: number;
  readonly #script: Script;
  forced?: () => readonly number[];

  constructor(V: number, { script = SCRIPT, jumps = true } = {}) {
    this.#V = V;
    this.#script = script;
    if (jumps) this.forced = () => this.#forced();
  }
  get complete(): boolean {
    return this.accepted.length === this.#script.length;
  }
  mask(): Uint32Array<ArrayBuffer> {
    const id = this.#script[this.accepted.length];
    const mask = new Uint32Array(Math.ceil(this.#V / 32));
    if (id === undefined) return mask.fill(0x55555555);
    mask[id >> 5] = 1 << (id & 31);
    return mask;
  }
  accept(id: number): void {
    expect(id).toBe(this.#script[this.accepted.length] ?? id);
    this.accepted.push(id);
  }
  #forced(): readonly number[] {
    const rest = this.#script.slice(this.accepted.length);
    const end = rest.indexOf(undefined);
    return rest.slice(0, end < 0 ? rest.length : end).map((id) => id ?? -1);
  }
}

/** Likely to repeat forced tokens, if they count. */
const penalised = { temperature: 0.8, frequencyPenalty: -1.5, repetitionPenalty: 1.3, presencePenalty: 0.4 };
const window7 = { folder: "test/golden/families/window_7", chunkLength: 8 };

/** What an answer is, and what it and the turn after it took. */
async function twoTurns(
  { ask, V, scheduler }: Awaited<ReturnType<typeof start>>,
  asked: Ask,
  { jumps = true, script = SCRIPT } = {},
) {
  const chunks: Chunk[] = [];
  const before = scheduler.activity;
  const constraint = new Scripted(V, { jumps, script });
  const prompt = asked.prompt ?? PROMPT.map((id) => id % 50);
  const ids = await ask({ maxTokens: 60, ...asked, prompt, constraint, chunks });
  const after = scheduler.activity;
  expect(constraint.accepted).toEqual(ids);
  const next: Chunk[] = [];
  const turn = { prompt: [...prompt, ...ids, 7, 8], maxTokens: 3, options: { topLogProbs: 1 }, chunks: next };
  await ask(turn);
  return {
    ids,
    reason: chunks.at(-1)?.finish?.reason,
    cached: next.at(-1)?.finish?.cachedTokens,
    logProbs: next.flatMap(({ logProbs }) => logProbs ?? []).map(({ logProb }) => logProb),
    steps: after.steps - before.steps,
    prefilled: after.prefillTokens - before.prefillTokens,
  };
}

/** Empties the only ring. */
const empty = ({ scheduler }: Awaited<ReturnType<typeof start>>) =>
  scheduler.runExclusive(
    (rings) => rings.take([]),
    async (_model, ring) => ring.begin([], 0),
  );

test.each([
  ["greedy", {}, {}],
  ["sampled, with penalties", {}, penalised],
  ["greedy, in a ring that rolls over", window7, {}],
  ["sampled, with penalties, in a ring that rolls over", window7, penalised],
])("%s: the same answer in fewer steps, and the ring holds it", async (_, options, settings) => {
  const started = await start({ ...options, parallel: 1 });
  expect(leastForced(started.decoder.shape.kernels.matmul)).toBeLessThanOrEqual(RUN);
  const asked = { settings, seed: 2 ** 40 + 3 };
  const stepwise = await twoTurns(started, asked, { jumps: false });
  // A ring that is used by others meanwhile: nothing of the answer is reused.
  await started.scheduler.runExclusive(
    (rings) => rings.take([]),
    async (_model, ring) => ring.begin([], 0),
  );
  const jumping = await twoTurns(started, asked);
  expect(jumping.ids).toEqual(stepwise.ids);
  expect(stepwise.steps).toBe(SCRIPT.length - 1);
  expect(jumping.steps).toBe(SCRIPT.length - 1 - FORCED);
  expect(jumping.prefilled - stepwise.prefilled).toBe(FORCED);
  expect([jumping.reason, stepwise.reason]).toEqual(["stop", "stop"]);
  expect([jumping.cached, stepwise.cached]).toEqual(Array(2).fill(PROMPT.length + SCRIPT.length - 1));
  // Prefill rounds differently.
  for (const [i, logProb] of jumping.logProbs.entries())
    expect(logProb).toBeCloseTo(stepwise.logProbs[i] ?? Infinity, 3);
});

test("the same beside others, and they are the same beside it", async () => {
  const started = await start({ parallel: 4 });
  const { ask, V } = started;
  const asks = (): Ask[] => [
    { constraint: new Scripted(V), maxTokens: 60, settings: penalised },
    { maxTokens: 40 },
    { maxTokens: 30, prompt: PROMPT.slice(1), settings: penalised },
    { constraint: new Scripted(V), maxTokens: 60, prompt: PROMPT.slice(2), settings: { temperature: 1 } },
  ];
  const alone = [];
  for (const each of asks()) alone.push(await ask(each));
  expect(await Promise.all(asks().map((each) => ask(each)))).toEqual(alone);
});

test("lost devices: the same answer, and the same bits in the ring", async () => {
  const started = await start({ ...window7, parallel: 1 });
  const asked = { settings: penalised };
  // The turn after it sees the forced tokens.
  const script = [...SCRIPT.slice(0, 3 + LONG), ...anyOf(1)];
  const { ids, cached, logProbs } = await twoTurns(started, asked, { script });
  for (const submission of [3, 7, 8, 9, 10, 11, 12, 13, 15]) {
    await empty(started);
    loseAtSubmission(started.device(), submission);
    const lost = await twoTurns(started, asked, { script });
    expect({ submission, ...lost }).toMatchObject({ submission, ids, cached, logProbs });
  }
});

test.each([
  ["cut off among forced tokens", 10, "length", 10],
  ["cut off at the end of them", 3 + LONG, "length", 3 + LONG],
  ["complete with the last of them", 60, "stop", 3 + RUN],
])("an answer that is %s", async (name, maxTokens, reason, length) => {
  const { ask, V, scheduler } = await start();
  const script = name.startsWith("complete") ? SCRIPT.slice(0, length) : SCRIPT;
  const chunks: Chunk[] = [];
  const ids = await ask({ constraint: new Scripted(V, { script }), maxTokens, chunks });
  expect(ids.slice(3)).toEqual(SCRIPT.slice(3, length));
  expect(chunks.at(-1)?.finish).toMatchObject({ reason, completionTokens: length });
  // No step and no pass for tokens that nothing follows: the next turn computes them with its own.
  expect(scheduler.activity.steps).toBe(2);
  const next: Chunk[] = [];
  const prompt = [...PROMPT, ...ids, 7];
  const answer = await ask({ prompt, maxTokens: 5, chunks: next });
  expect(next.at(-1)?.finish?.cachedTokens).toBeLessThanOrEqual(PROMPT.length + ids.length - 1);
  const fresh = await start();
  expect(await fresh.ask({ prompt, maxTokens: 5 })).toEqual(answer);
});

test.each(["abort", "leave"])("%s among forced tokens: the next answer is right", async (how) => {
  const { ask, V, scheduler } = await start({ chunkLength: 4 });
  const fresh = await start({ chunkLength: 4 });
  for (const tokens of [4, 9, 17]) {
    const controller = new AbortController();
    const taken: Chunk[] = [];
    let seen = 0;
    const stop = () => {
      if (++seen < tokens) return;
      if (how === "leave") throw new Error("left");
      controller.abort();
    };
    const options = how === "abort" ? { signal: controller.signal } : {};
    const asked = { constraint: new Scripted(V), maxTokens: 60, chunks: taken, options };
    await ask(asked, stop).catch((error) => expect(error).toMatchObject({ message: "left" }));
    const ids = taken.flatMap((chunk) => chunk.ids);
    expect(ids.length).toBeGreaterThanOrEqual(tokens);
    expect(ids.length).toBeLessThanOrEqual(tokens + 1);
    const prompt = [...PROMPT, ...ids, 30, 40];
    expect(await ask({ prompt })).toEqual(await fresh.ask({ prompt }));
  }
  await scheduler.idle();
  expect(scheduler.activity).toMatchObject({ running: 0, waiting: 0 });
});

test("an answer that ends before a pass does not count what was forced after it", () => {
  const ring = new RingState({ W: 7 }, 18);
  ring.commit([1, 2, 3], 3, "prefill");
  ring.commit([1, 2, 3, 4, 5, 6], 6, "retrace");
  ring.commit([1, 2, 3, 4, 5, 6, 7, 8, 9], 9, "prefill");
  ring.commit([1, 2, 3, 4], 9, "retrace");
  expect(ring.ids).toEqual([1, 2, 3, 4]);
  expect(ring.spans.map(({ start }) => start)).toEqual([0, 3]);
});

test("with log-probabilities, each token has a step", async () => {
  const { ask, V, scheduler } = await start();
  const chunks: Chunk[] = [];
  const ids = await ask({ constraint: new Scripted(V), maxTokens: 60, options: { topLogProbs: 0 }, chunks });
  expect(ids).toHaveLength(SCRIPT.length);
  expect(chunks.flatMap(({ logProbs }) => logProbs ?? [])).toHaveLength(SCRIPT.length);
  expect(scheduler.activity.steps).toBe(SCRIPT.length - 1);
});

test("a format's forced text takes fewer steps than tokens", async () => {
  const model = await loadModel(undefined, { device: await openTestDevice(), chunkLength: 32 });
  opened.push(model);
  const answer = "The quick brown fox jumps over the lazy dog, and then sleeps all day long in the sun.";
  const before = await model.activity();
  const schema = { type: "object", properties: { said: { const: answer } }, required: ["said"] };
  const format = { type: "json_schema", schema: { ...schema, additionalProperties: false } } as const;
  const chunks: Chunk[] = [];
  for await (const chunk of model.generate("Once", { temperature: 0, format, maxTokens: 120 }))
    chunks.push(chunk);
  expect(JSON.parse(chunks.map(({ text }) => text).join(""))).toEqual({ said: answer });
  const { reason, completionTokens } = chunks.at(-1)?.finish ?? {};
  expect(reason).toBe("stop");
  const steps = (await model.activity()).steps - before.steps;
  // The model also makes white space, a token a step.
  expect((completionTokens ?? 0) - 1 - steps).toBeGreaterThan(20);
});
