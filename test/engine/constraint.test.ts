// A constraint decides which tokens a sequence may pick; concurrent sequences without one are unaffected.
import { afterEach, expect, test } from "vitest";
import { type Chunk, loadModel } from "../../engine/node.ts";
import type { SequenceOptions } from "../../engine/scheduler/sequence.ts";
import type { TokenConstraint } from "../../engine/scheduler/token-constraint.ts";
import { openTestDevice } from "../helpers.ts";
import { allows, EveryOther, opened, PROMPT, start } from "./constrained.ts";
import { loseAtSubmission } from "./losing-devices.ts";

afterEach(() => {
  for (const each of opened.splice(0)) each.dispose();
});

test("every other token is forbidden: each pick is the likeliest allowed token, and other sequences are unaffected", async () => {
  const { ask, V } = await start();
  const alone = await ask();
  const constraint = new EveryOther(V);
  const [constrained, beside] = await Promise.all([ask({ constraint }), ask()]);
  expect(beside).toEqual(alone);
  expect(constrained).toHaveLength(24);
  expect(constrained.every((id, i) => allows(i, id))).toBe(true);
  // Each mask is requested after the previous token was accepted: no step runs ahead of the constraint.
  expect(constraint.accepted).toEqual(constrained);
  expect([...new Set(constraint.asked)]).toEqual(Array.from({ length: 24 }, (_, i) => i));

  const model = await loadModel(undefined, { device: await openTestDevice(), chunkLength: 32 });
  opened.push(model);
  for (const index of [0, 1, 7, 23]) {
    const logits = await model.logits([...PROMPT, ...constrained.slice(0, index)]);
    const best = [...logits.keys()]
      .filter((id) => allows(index, id))
      .reduce((a, b) => (logits[b]! > logits[a]! ? b : a));
    expect(constrained[index]).toBe(best);
  }
});

test("sampled tokens obey it too, and the same seed gives the same tokens", async () => {
  const { ask, V } = await start();
  const settings = { temperature: 1.5, topK: 50, repetitionPenalty: 1.2 };
  const first = await ask({ settings, constraint: new EveryOther(V) });
  const again = await ask({ settings, constraint: new EveryOther(V) });
  expect(first.every((id, i) => allows(i, id))).toBe(true);
  expect(again).toEqual(first);
});

test("unconstrained answers keep their steps in flight beside a constrained one", async () => {
  const { ask, V, decoder, scheduler } = await start({ parallel: 4 });
  const asks: Partial<SequenceOptions>[] = [
    { maxTokens: 40 },
    { maxTokens: 40, prompt: PROMPT.slice(1), settings: { temperature: 1, frequencyPenalty: 0.5 } },
    { maxTokens: 40, prompt: PROMPT.slice(2), settings: { temperature: 0.7, topK: 9 }, seed: 8 },
  ];
  const held = (maxTokens: number) => ({ maxTokens, constraint: new EveryOther(V), prompt: PROMPT.slice(3) });
  const alone = [];
  for (const each of [...asks, held(60)]) alone.push(await ask(each));

  const step = decoder.step.bind(decoder);
  let flying = 0;
  /** Rows of each step, and how many steps were in flight when it was submitted. */
  const steps: { readonly rows: number; readonly before: number }[] = [];
  decoder.step = async (rows = [], ...rest) => {
    steps.push({ rows: rows.length, before: flying++ });
    try {
      return await step(rows, ...rest);
    } finally {
      flying--;
    }
  };
  const before = scheduler.activity;
  const together = await Promise.all([...asks, held(60)].map((each) => ask(each)));
  expect(together).toEqual(alone);
  // All four joined at about the same time.
  const beside = steps.filter(({ rows }) => rows >= 3);
  expect(beside.length).toBeGreaterThan(30);
  expect(beside.length).toBeLessThan(50);
  expect(beside.filter(({ before }) => before > 0).length).toBeGreaterThan(0.8 * beside.length);
  // The constrained row is in some of the steps, and alone in the others.
  expect(beside.filter(({ rows }) => rows === 4).length).toBeGreaterThan(5);
  expect(scheduler.activity.stepRows - before.stepRows).toBe(3 * 39 + 59);
});

test("constrained answers share their steps", async () => {
  const { ask, V, scheduler } = await start({ parallel: 4 });
  const before = scheduler.activity;
  const asks = [0, 1, 2, 3].map((i) => ask({ constraint: new EveryOther(V), prompt: PROMPT.slice(i) }));
  await Promise.all(asks);
  const { steps, stepRows } = scheduler.activity;
  expect(stepRows - before.stepRows).toBe(4 * 23);
  expect(steps - before.steps).toBeLessThan(23 + 10);
});

test("log-probabilities are the model's own", async () => {
  const { ask, V } = await start();
  const constraint = () => new EveryOther(V);
  const asked: Partial<SequenceOptions> = { maxTokens: 4, settings: { temperature: 1, topK: 5 } };
  const chunks: Chunk[] = [];
  const ids = await ask({ ...asked, constraint: constraint() });
  const options = { topLogProbs: 3 };
  expect(await ask({ ...asked, constraint: constraint(), options, chunks })).toEqual(ids);
  const logProbs = chunks.flatMap((chunk) => chunk.logProbs ?? []);
  const model = await loadModel(undefined, { device: await openTestDevice(), chunkLength: 32 });
  opened.push(model);
  expect(logProbs).toHaveLength(4);
  for (const [index, { id, logProb, top }] of logProbs.entries()) {
    const logits = await model.logits([...PROMPT, ...ids.slice(0, index)]);
    const sum = Math.log(logits.reduce((total, value) => total + Math.exp(value), 0));
    const best = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!).slice(0, 3);
    expect(id).toBe(ids[index]);
    expect(logProb).toBeCloseTo(logits[id]! - sum, 3);
    // Forbidden tokens, too.
    expect(top.map((each) => each.id)).toEqual(best);
  }
});

test("an answer continues with its constraint's state when the device is lost", async () => {
  const { ask, V, device } = await start();
  const whole = await ask({ constraint: new EveryOther(V) });
  const constraint = new EveryOther(V);
  let tokens = 0;
  const ids = await ask({ constraint }, () => {
    if (++tokens === 9) loseAtSubmission(device(), 2);
  });
  expect(ids).toEqual(whole);
  expect(constraint.accepted).toEqual(whole);
});

test.each<[string, (V: number) => Partial<TokenConstraint>, RegExp | string]>([
  [
    "allows nothing",
    (V) => ({ mask: () => new Uint32Array(Math.ceil(V / 32)) }),
    /^constraint: .* allow none/,
  ],
  ["has a short mask", () => ({ mask: () => new Uint32Array(1).fill(1) }), /^constraint: .* got 1 words/],
  ["throws when asked", () => ({ mask: () => fail("no mask") }), "no mask"],
  ["throws at a token", () => ({ accept: () => fail("no such token") }), "no such token"],
])("a constraint that %s ends its own sequence only", async (_, part, message) => {
  const { ask, V, scheduler } = await start();
  const alone = await ask();
  const constraint: TokenConstraint = Object.assign(new EveryOther(V), part(V));
  const failed = ask({ constraint });
  const [beside] = await Promise.all([ask(), expect(failed).rejects.toThrow(message)]);
  expect(beside).toEqual(alone);
  await scheduler.idle();
  expect(scheduler.activity).toMatchObject({ running: 0, waiting: 0 });
});

function fail(message: string): never {
  throw new Error(message);
}
