// A lost device is replaced: answers continue with the next token, and all numbers stay the same.
import { describe, expect, test } from "vitest";
import type { LoadedModel } from "../../engine/model.ts";
import { type Chunk, DeviceError, DeviceLostError, type GenerateOptions } from "../../engine/node.ts";
import { expectNoUnhandledRejections } from "../helpers.ts";
import { loseAtSubmission, Machine } from "./losing-devices.ts";

const folder = (name: string) => new URL(`../golden/families/${name}`, import.meta.url).pathname;
const embedded = new URL("../../weights/tiny-mistral", import.meta.url).pathname;

expectNoUnhandledRejections();

async function run(
  model: LoadedModel,
  prompt: string | readonly number[],
  options: GenerateOptions,
  onToken = (_count: number) => {},
) {
  const chunks: Chunk[] = [];
  for await (const chunk of model.generate(prompt, { temperature: 0, ignoreEos: true, ...options })) {
    chunks.push(chunk);
    onToken(chunks.length);
  }
  const { reason, cachedTokens, completionTokens } = chunks.at(-1)!.finish!;
  return {
    ids: chunks.flatMap(({ ids }) => ids),
    text: chunks.map(({ text }) => text).join(""),
    finish: { reason, cachedTokens, completionTokens },
  };
}

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "no error",
    (reason: unknown) => reason,
  );

const greedy: GenerateOptions = { maxTokens: 12 };
const sampled: GenerateOptions = {
  ...greedy,
  temperature: 0.5,
  topP: 0.98,
  repetitionPenalty: 1.4,
  // Likely to repeat tokens: without the penalties' counts the answer would continue differently.
  frequencyPenalty: -2,
  presencePenalty: 0.6,
  logitBias: { 3: 2, 7: -2 },
  seed: 2 ** 40 + 5,
};
/** Longer than a chunk and a half. */
const first = Array.from({ length: 13 }, (_, i) => (i * 7 + 3) % 60);

describe("a conversation whose ring rolls over", () => {
  const machine = new Machine();
  let model: LoadedModel;
  /** Two turns and the logits after them, from an empty cache. */
  async function conversation(options: GenerateOptions, onToken?: (count: number) => void) {
    await model.measure(async () => {});
    const answer = await run(model, first, options);
    const second = [...first, ...answer.ids, 11, 12, 13, 14, 15, 16, 17, 18, 19];
    const next = await run(model, second, options, onToken);
    return { answer, next, logits: await model.logits([...second, ...next.ids, 1]) };
  }

  test.each([
    ["greedy", greedy, [7]],
    ["sampled", sampled, [6]],
  ])("%s: lost between tokens", async (_, options, losses) => {
    model ??= await machine.load(folder("window_7"), { chunkLength: 8 });
    const undisturbed = await conversation(options);
    for (const lossAt of losses) {
      const disturbed = await conversation(options, (count) => {
        if (count === lossAt) machine.device.destroy();
      });
      expect(disturbed, `lost after token ${lossAt}`).toEqual(undisturbed);
    }
  });

  test("lost in prefill, at the first token, with steps in flight, and in both turns", async () => {
    const undisturbed = await conversation(sampled);
    for (const submission of [1, 4, 20]) {
      const opened = machine.devices.length;
      loseAtSubmission(machine.device, submission);
      expect(await conversation(sampled), `lost at submission ${submission}`).toEqual(undisturbed);
      expect(machine.devices.length).toBe(opened + 1);
    }
  });

  test("lost between calls", async () => {
    const lost = async () => {
      machine.device.destroy();
      await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await model.measure(async () => {});
    const answer = await run(model, first, sampled);
    const next = [...first, ...answer.ids, 5];
    const calls = [
      () => run(model, next, sampled),
      () => model.logits([...next, 6]),
      () => model.score(next),
    ];
    const undisturbed = [];
    for (const call of calls) undisturbed.push(await call());
    await model.measure(async () => {});
    await run(model, first, sampled);
    await lost();
    expect(await calls[0]!()).toEqual(undisturbed[0]);
    await lost();
    expect(await calls[1]!()).toEqual(undisturbed[1]);
    // Not yet known to be lost.
    machine.device.destroy();
    expect(await calls[2]!()).toEqual(undisturbed[2]);
  });

  test("nothing stays on lost devices, and nothing after dispose", () => {
    const { watch } = machine.devices.pop()!;
    expect(machine.devices.length).toBeGreaterThan(5);
    for (const gone of machine.devices) expect(gone.watch.live.size).toBe(0);
    expect(watch.live.size).toBeGreaterThan(10);
    model.dispose();
    expect(watch.live.size).toBe(0);
  });
});

test("three concurrent answers and one in the queue: each continues with its next token", async () => {
  const machine = new Machine();
  const model = await machine.load(folder("window_7"), { chunkLength: 8, parallel: 3 });
  const asks = [
    { prompt: first, options: greedy },
    { prompt: first.toReversed(), options: sampled },
    // Shares a prefix with the first: copied, and lost together with the ring that it was copied from.
    { prompt: [...first.slice(0, 12), ...Array.from({ length: 20 }, (_, i) => 59 - i)], options: sampled },
    { prompt: first.slice(5), options: { ...sampled, seed: 4, topLogProbs: 1 } },
  ];
  const all = (onToken?: (count: number) => void) =>
    Promise.all(
      asks.map(({ prompt, options }, i) => run(model, prompt, options, i === 1 ? onToken : undefined)),
    );
  const forget = () => model.measure(async () => {});
  const undisturbed = await all();
  await forget();
  const idsOf = (answers: readonly { readonly ids: readonly number[] }[]) => answers.map(({ ids }) => ids);
  const once = await all((count) => {
    if (count === 5) machine.device.destroy();
  });
  expect(idsOf(once)).toEqual(idsOf(undisturbed));
  for (const submission of [2, 9]) {
    await forget();
    loseAtSubmission(machine.device, submission);
    expect(idsOf(await all()), `lost at submission ${submission}`).toEqual(idsOf(undisturbed));
  }
  expect(machine.devices.length).toBe(4);
  model.dispose();
});

test("a text scored while an answer runs: both are the same as without a loss", async () => {
  const machine = new Machine();
  const model = await machine.load(folder("window_7"), { chunkLength: 8, parallel: 2 });
  const text = [...first, ...first.toReversed(), ...first];
  const both = () => Promise.all([run(model, first, sampled), model.score(text)]);
  const undisturbed = await both();
  await model.measure(async () => {});
  // After some chunks of both have been computed.
  loseAtSubmission(machine.device, 9);
  const [answer, score] = await both();
  expect([answer.ids, score]).toEqual([undisturbed[0].ids, undisturbed[1]]);
  expect(machine.devices.length).toBe(2);
  model.dispose();
});

test("the text continues, also inside a stop string; progress reports the new device", async () => {
  const machine = new Machine();
  const progress: string[] = [];
  const model = await machine.load(embedded, { onProgress: ({ stage }) => progress.push(stage) });
  const options = { maxTokens: 30, temperature: 0.8, seed: 3, frequencyPenalty: 0.3 };
  const whole = await run(model, "Once upon a time", options);
  const loads = progress.length;
  const stop = whole.text.slice(40, 60);
  const stopped = await run(model, "Once upon a time", { ...options, stop });
  await model.measure(async () => {});
  const lose = (count: number) => {
    if (count === stopped.ids.length - 2) machine.device.destroy();
  };
  expect(await run(model, "Once upon a time", { ...options, stop }, lose)).toMatchObject({
    ids: stopped.ids,
    text: whole.text.slice(0, 40),
    finish: { reason: "stop" },
  });
  expect(progress.length).toBe(2 * loads);
  expect(machine.devices.length).toBe(2);
  model.dispose();
});

describe("failures", () => {
  async function open() {
    const machine = new Machine();
    let toLoad = 0;
    machine.onOpen = (device) => {
      const submit = device.queue.submit.bind(device.queue);
      device.queue.submit = (commands) => {
        toLoad++;
        submit(commands);
      };
    };
    const model = await machine.load(folder("one_layer"), { chunkLength: 8 });
    machine.onOpen = () => {};
    const submissions = toLoad;
    const expected = await run(model, first, sampled);
    /** An answer whose device is lost after the third token, and its outcome. */
    const disturbed = async (options: GenerateOptions = {}) => {
      const ids: number[] = [];
      const error = await failure(
        (async () => {
          for await (const chunk of model.generate(first, {
            temperature: 0,
            ignoreEos: true,
            ...sampled,
            ...options,
          })) {
            ids.push(...chunk.ids);
            if (ids.length === 3) machine.device.destroy();
          }
        })(),
      );
      return { ids, error };
    };
    /** Tokens in flight may have arrived before the loss. */
    const interrupted = (ids: number[]) => {
      expect(ids.length).toBeGreaterThanOrEqual(3);
      expect(ids.length).toBeLessThan(expected.ids.length);
      expect(ids).toEqual(expected.ids.slice(0, ids.length));
    };
    return { machine, model, toLoad: submissions, expected, disturbed, interrupted };
  }
  let opened: ReturnType<typeof open> | undefined;
  async function shared() {
    opened ??= open();
    const parts = await opened;
    await parts.model.measure(async () => {});
    return parts;
  }

  test("one is recovered from", async () => {
    const { machine, expected, disturbed } = await shared();
    machine.onOpen = (device) => {
      machine.onOpen = () => {};
      // While weights are uploaded.
      loseAtSubmission(device, 3);
    };
    expect(await disturbed()).toEqual({ ids: expected.ids, error: "no error" });
  });

  test("two in a row are a DeviceLostError; the next call tries again", async () => {
    const { machine, model, expected, disturbed, interrupted } = await shared();
    let tries = 0;
    machine.onOpen = () => {
      tries++;
      throw new DeviceError("WebGPU: expected an adapter, got none.", { code: "no-adapter" });
    };
    const { ids, error } = await disturbed();
    interrupted(ids);
    expect(error).toBeInstanceOf(DeviceLostError);
    expect((error as Error).message).toMatch(
      /the device is lost, .* failed twice, .*: WebGPU: expected an adapter, got none\. .*load the model again\.$/,
    );
    expect(tries).toBe(2);
    expect(await failure(model.logits(first))).toBeInstanceOf(DeviceLostError);
    expect(tries).toBe(4);
    machine.onOpen = () => {};
    expect(await run(model, first, sampled)).toEqual(expected);
  });

  test("lost again before the first token, twice", async () => {
    const { machine, model, toLoad, expected, disturbed, interrupted } = await shared();
    // In the replay, after loading.
    machine.onOpen = (device) => loseAtSubmission(device, toLoad + 2);
    const opened = machine.devices.length;
    const { ids, error } = await disturbed();
    interrupted(ids);
    expect(error).toBeInstanceOf(DeviceLostError);
    expect(machine.devices.length).toBe(opened + 2);
    // The next call tries again; a loss after some tokens counts as the first again.
    machine.onOpen = (device) => {
      machine.onOpen = () => {};
      loseAtSubmission(device, toLoad + 10);
    };
    expect((await run(model, first, sampled)).ids).toEqual(expected.ids);
    expect(machine.devices.length).toBe(opened + 4);
  });

  test("an abort or dispose during recovery ends it", async () => {
    const { machine, model, expected, disturbed, interrupted } = await shared();
    const controller = new AbortController();
    machine.onOpen = () => controller.abort();
    const aborted = await disturbed({ signal: controller.signal });
    expect(aborted.error).toBe("no error");
    interrupted(aborted.ids);
    machine.onOpen = () => {};
    expect((await run(model, first, sampled)).ids).toEqual(expected.ids);

    const opened = machine.devices.length;
    machine.onOpen = () => model.dispose();
    const { error } = await disturbed();
    expect(error).toBeInstanceOf(DeviceLostError);
    expect((error as Error).message).toMatch(/expected a loaded model, got a disposed one/);
    expect(machine.devices.length).toBe(opened + 1);
    for (const { watch } of machine.devices) expect(watch.live.size).toBe(0);
  });
});

test("a device lost while loading is replaced once; nothing stays on lost devices", async () => {
  const machine = new Machine();
  machine.onOpen = (device) => {
    if (machine.devices.length === 0) loseAtSubmission(device, 3);
  };
  const model = await machine.load(folder("one_layer"), { chunkLength: 8 });
  expect(machine.devices.length).toBe(2);
  expect(machine.devices[0]!.watch.live.size).toBe(0);
  expect((await run(model, first, greedy)).ids.length).toBe(12);
  model.dispose();

  const { devices } = machine;
  machine.onOpen = (device) => loseAtSubmission(device, 3);
  expect(await failure(machine.load(folder("one_layer"), { chunkLength: 8 }))).toBeInstanceOf(
    DeviceLostError,
  );
  expect(devices.length).toBe(4);
  const controller = new AbortController();
  machine.onOpen = (device) => {
    loseAtSubmission(device, 3);
    void device.lost.then(() => controller.abort());
  };
  await failure(machine.load(folder("one_layer"), { signal: controller.signal }));
  expect(devices.length, "after an abort").toBe(5);
  for (const { watch } of devices) expect(watch.live.size).toBe(0);
});

test("a loss reported late, as in a busy browser", async () => {
  const machine = new Machine();
  machine.onOpen = (device) => {
    const lost = device.lost.then(async (info) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return info;
    });
    Object.defineProperty(device, "lost", { value: lost });
  };
  const model = await machine.load(folder("one_layer"), { chunkLength: 8 });
  const whole = await run(model, first, greedy);
  await model.measure(async () => {});
  const lose = (count: number) => {
    if (count === 3) machine.device.destroy();
  };
  expect(await run(model, first, greedy, lose)).toEqual(whole);
  expect(machine.devices.length).toBe(2);
  model.dispose();
});

test("dispose in mid-answer opens no new device", async () => {
  const machine = new Machine();
  const model = await machine.load(folder("one_layer"));
  const error = await failure(
    run(model, first, sampled, (count) => {
      if (count === 3) model.dispose();
    }),
  );
  expect(error).toBeInstanceOf(DeviceLostError);
  expect(machine.devices.length).toBe(1);
});
