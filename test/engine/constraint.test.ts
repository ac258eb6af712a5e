// A constraint decides which tokens a sequence may pick; concurrent sequences without one are unaffected.
import { afterEach, expect, test } from "vitest";
import { generate } from "../../engine/answer/generate.ts";
import { describe as describeAdapter, Gpu } from "../../engine/gpu/gpu.ts";
import { type Chunk, loadModel } from "../../engine/node.ts";
import { DeviceRecovery } from "../../engine/resident/device-recovery.ts";
import { placeOnGpu } from "../../engine/resident/gpu-model.ts";
import { RingPool } from "../../engine/scheduler/ring-pool.ts";
import { RingState } from "../../engine/scheduler/ring-state.ts";
import { Scheduler } from "../../engine/scheduler/scheduler.ts";
import type { SequenceOptions } from "../../engine/scheduler/sequence.ts";
import type { TokenConstraint } from "../../engine/scheduler/token-constraint.ts";
import { folderSource, openCheckpoint } from "../../weights/node.ts";
import { openTestDevice } from "../helpers.ts";
import { loseAtSubmission } from "./losing-devices.ts";

const PROMPT = [1, 403, 407, 261, 378, 31, 64, 12];
const opened: { dispose(): void }[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.dispose();
});

/** Forbids every other token: after an even number of tokens the odd ids, else the even ones. */
class EveryOther implements TokenConstraint {
  readonly accepted: number[] = [];
  /** How many tokens were accepted when each mask was asked for. */
  readonly asked: number[] = [];
  readonly #words: number;
  constructor(V: number) {
    this.#words = Math.ceil(V / 32);
  }
  mask(): Uint32Array<ArrayBuffer> {
    this.asked.push(this.accepted.length);
    return new Uint32Array(this.#words).fill(allows(this.accepted.length, 0) ? 0x55555555 : 0xaaaaaaaa);
  }
  accept(id: number): void {
    this.accepted.push(id);
  }
}
const allows = (index: number, id: number) => id % 2 === index % 2;

/** A scheduler over the embedded model, on devices that a test can lose. */
async function start() {
  const devices: GPUDevice[] = [];
  const platform = {
    openDevice: async () => {
      const device = await openTestDevice();
      devices.push(device);
      return new Gpu(device, describeAdapter(device.adapterInfo, device), { owned: true });
    },
    tuning: { read: async () => undefined, write: async () => {} },
  };
  const checkpoint = await openCheckpoint(folderSource("weights/tiny-mistral"));
  const options = { parallel: 2, chunkLength: 32 };
  const first = await placeOnGpu(platform, checkpoint, options);
  const recovery = new DeviceRecovery(first, (before, signal) =>
    placeOnGpu(platform, checkpoint, { ...options, signal }, { before }),
  );
  opened.push(recovery);
  const { rings, cacheSlots, contextLength } = first.plan;
  const pool = new RingPool(
    Array.from({ length: rings }, (_, i) => new RingState(checkpoint.config, cacheSlots, i)),
  );
  const scheduler = new Scheduler(recovery, pool);
  const ask = async (given: Partial<SequenceOptions> = {}, onToken = () => {}): Promise<number[]> => {
    const { constraint, maxTokens = 24, seed = 5, settings = {} } = given;
    const generation = { scheduler, contextLength, ids: PROMPT, text: undefined, endIds: new Set<number>() };
    const ids: number[] = [];
    const answer = generate({ ...generation, constraint }, { maxTokens, seed, ...settings });
    for await (const chunk of answer as AsyncGenerator<Chunk>) {
      ids.push(...chunk.ids);
      onToken();
    }
    return ids;
  };
  return { ask, V: checkpoint.config.V, device: () => devices.at(-1)!, scheduler };
}

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
