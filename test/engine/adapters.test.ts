// LoRA adapters beside the weights: numbers of an independent reference, and what keeps adapters apart.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AdapterChoice, LoadOptions } from "../../engine/api.ts";
import { loadModel, type Model, quantizeModel } from "../../engine/node.ts";
import {
  type Adapter,
  type AdapterChange,
  folderSource,
  mergeAdapter,
  openAdapter,
  openCheckpoint,
  type Source,
} from "../../weights/node.ts";
import { openTestDevice } from "../helpers.ts";
import { isSlowDriver } from "../slow-driver.ts";
import { adapterSource, adapterTensors, floats, ones } from "../weights/adapter-files.ts";
import { join as joinFile, memorySource, split } from "../weights/memory-source.ts";
import { Machine } from "./losing-devices.ts";

const root = new URL("../golden/", import.meta.url).pathname;
const base = `${root}families/gqa_4x2`;
const folder = (name: string) => `${root}adapters/lora_${name}`;
const twoAdapters = { a: folder("two_adapters/a"), b: folder("two_adapters/b") };

interface Case {
  /** null: none */
  readonly adapter?: "a" | "b" | null;
  readonly ids: readonly number[];
  readonly last_logits: readonly number[];
  readonly greedy_16: readonly number[];
}
const casesOf = (name: string): readonly Case[] =>
  JSON.parse(readFileSync(`${folder(name)}/golden.json`, "utf8")).cases;
const mixed = casesOf("two_adapters");

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});
afterAll(() => device.destroy());

const load = (options: LoadOptions = {}): Promise<Model> =>
  loadModel(base, { device, chunkLength: 16, parallel: 4, ...options });

async function run(model: Model, ids: readonly number[], adapter?: AdapterChoice | null, maxTokens = 16) {
  const answer: number[] = [];
  let cachedTokens = 0;
  const options = { maxTokens, temperature: 0, ignoreEos: true, ...(adapter && { adapter }) };
  for await (const chunk of model.generate(ids, options)) {
    answer.push(...chunk.ids);
    cachedTokens = chunk.finish?.cachedTokens ?? cachedTokens;
  }
  return { ids: answer, cachedTokens };
}
const scaled = (adapter: Adapter, factor: number): Adapter => {
  const of = ({ matrix, ...change }: AdapterChange): AdapterChange => ({
    ...change,
    ...(matrix && { matrix: { ...matrix, scale: factor * matrix.scale } }),
  });
  return { ...adapter, changes: new Map([...adapter.changes].map(([name, each]) => [name, of(each)])) };
};

const greedy = async (...asked: Parameters<typeof run>) => (await run(...asked)).ids;

function worst(logits: Float32Array, expected: readonly number[]): number {
  expect(logits.length).toBe(expected.length);
  return expected.reduce((most, x, i) => Math.max(most, Math.abs(x - logits[i]!)), 0);
}

const configOf = async (folder: string) => (await openCheckpoint(folderSource(folder))).config;

/** A checkpoint in f32 with all of these merged into it. */
async function mergedSource(folder: string, adapters: readonly Adapter[]): Promise<Source> {
  const checkpoint = await openCheckpoint(folderSource(folder));
  const merged = adapters.reduce(mergeAdapter, checkpoint);
  const tensors: { name: string; shape: readonly number[]; values: Float32Array<ArrayBuffer> }[] = [];
  for (const [name, tensor] of merged.tensors) {
    const parts: Uint8Array[] = [];
    for await (const { bytes } of merged.readRows(tensor, { maxBytes: 2 ** 20 })) parts.push(bytes);
    const values = new Float32Array(new Uint8Array(Buffer.concat(parts)).buffer);
    tensors.push({ name, shape: tensor.shape, values });
  }
  const config = JSON.parse(readFileSync(`${folder}/config.json`, "utf8"));
  return memorySource({
    "config.json": Buffer.from(JSON.stringify({ ...config, quantization_config: undefined })),
    "model.safetensors": adapterTensors(tensors),
  });
}

/** What the reference computed, by a kind of adapter each. Compiling takes most of the time. */
const kinds = isSlowDriver ? ["qv"] : ["r4_all", "rslora_r8", "qv", "patterns", "dora", "embedding"];

test.each(kinds)("%s: logits and greedy tokens", async (name) => {
  const model = await load({ adapters: { tuned: folder(name) } });
  for (const { ids, last_logits, greedy_16 } of casesOf(name)) {
    expect(worst(await model.logits(ids, { adapter: "tuned" }), last_logits)).toBeLessThan(5e-4);
    expect(await greedy(model, ids, "tuned")).toEqual(greedy_16);
  }
  model.dispose();
});

test.skipIf(isSlowDriver)("matrices in parts, as on an adapter that binds little", async () => {
  const model = await load({ adapters: { tuned: folder("r4_all") }, maxBindingBytes: 2048 });
  const { ids, last_logits, greedy_16 } = casesOf("r4_all").at(-1)!;
  expect(worst(await model.logits(ids, { adapter: "tuned" }), last_logits)).toBeLessThan(5e-4);
  expect(await greedy(model, ids, "tuned")).toEqual(greedy_16);
  model.dispose();
});

test.skipIf(isSlowDriver)("weights in q8: as far from the reference as without an adapter", async () => {
  const model = await load({ weights: "q8", adapters: { tuned: folder("r4_all") } });
  for (const { ids, last_logits } of casesOf("r4_all"))
    expect(worst(await model.logits(ids, { adapter: "tuned" }), last_logits)).toBeLessThan(0.5);
  model.dispose();
});

describe("two adapters of one model", () => {
  let model: Model;
  beforeAll(async () => {
    model = await load({ adapters: twoAdapters });
  });
  afterAll(() => model.dispose());

  test("one after the other, and none", async () => {
    expect(model.adapters).toEqual(["a", "b"]);
    for (const { adapter, ids, last_logits, greedy_16 } of mixed) {
      const logits = await model.logits(ids, adapter ? { adapter } : {});
      expect(worst(logits, last_logits)).toBeLessThan(5e-4);
      expect(await greedy(model, ids, adapter)).toEqual(greedy_16);
    }
  });

  test("side by side, and none: each row as alone, to the bit", async () => {
    const prompts = ["a", "b", undefined, undefined].map(
      (adapter, i) => [mixed[0]!.ids.slice(i), adapter] as const,
    );
    const logProbs = async ([ids, adapter]: (typeof prompts)[number]) => {
      const found: number[] = [];
      const options = {
        maxTokens: 12,
        temperature: 0,
        ignoreEos: true,
        topLogProbs: 1,
        ...(adapter && { adapter }),
      };
      for await (const chunk of model.generate(ids, options))
        found.push(...(chunk.logProbs ?? []).flatMap(({ id, logProb }) => [id, logProb]));
      return found;
    };
    const alone: number[][] = [];
    for (const prompt of prompts) alone.push(await logProbs(prompt));
    const { steps, stepRows } = await model.activity();
    expect(await Promise.all(prompts.map(logProbs))).toEqual(alone);
    const after = await model.activity();
    // They did run together.
    expect((after.stepRows - stepRows) / (after.steps - steps)).toBeGreaterThan(2);
  });

  test("a scale, 0: the model itself; 1: as trained", async () => {
    const { ids } = mixed[0]!;
    expect(await greedy(model, ids, { name: "a", scale: 0 })).toEqual(await greedy(model, ids));
    expect(await greedy(model, ids, { name: "a", scale: 1 })).toEqual(mixed[0]!.greedy_16);
    expect(await model.logits(ids, { adapter: { name: "a", scale: 0.5 } })).not.toEqual(
      await model.logits(ids, { adapter: "a" }),
    );
  });

  test("several at once: as merged one after the other, in any order", async () => {
    const { ids } = mixed[3]!;
    const config = await configOf(base);
    const [a, b] = [
      await openAdapter("a", folderSource(twoAdapters.a), config),
      await openAdapter("b", folderSource(twoAdapters.b), config),
    ];
    const merged = await loadModel(await mergedSource(base, [scaled(a, 0.5), b]), { device, weights: "f32" });
    const both = [{ name: "a", scale: 0.5 }, "b"];
    const logits = await model.logits(ids, { adapter: both });
    expect(worst(logits, [...(await merged.logits(ids))])).toBeLessThan(5e-4);
    expect(worst(logits, [...(await model.logits(ids, { adapter: "b" }))])).toBeGreaterThan(0.01);
    const answer = await run(model, ids, both);
    expect(answer.ids).toEqual(await greedy(merged, ids));
    merged.dispose();
    // Another order, and one that adds nothing, is the same mix. Other scales are not.
    const next = [...ids, ...answer.ids, 3];
    const more = ["b", { name: "a", scale: 0.5 }];
    expect((await run(model, next, more, 1)).cachedTokens).toBeGreaterThan(ids.length);
    expect((await run(model, next, ["b", { name: "a", scale: 0.25 }], 1)).cachedTokens).toBe(0);
    expect((await run(model, next, [{ name: "b", scale: 0.5 }, "a"], 1)).cachedTokens).toBe(0);
    await run(model, next, "b", 1);
    const alone = ["b", { name: "a", scale: 0 }];
    expect((await run(model, [...next, 4], alone, 1)).cachedTokens).toBe(next.length);
  });

  test("several at once, and their rings, sessions and lists that cannot be", async () => {
    const { ids } = mixed[3]!;
    const both = ["b", { name: "a", scale: -0.5 }];
    const answer = await greedy(model, ids, both);
    const next = [...ids, ...answer, 3, 4];
    const session = (await model.saveSession())!;
    const expected = await run(model, next, both);
    // They were loaded in another order.
    const other = await load({ adapters: { b: twoAdapters.b, c: twoAdapters.a } });
    await other.restoreSession(session);
    expect(await run(other, next, [{ name: "c", scale: -0.5 }, "b"])).toEqual(expected);
    for (const [adapter, message] of [
      [["a", { name: "a", scale: 2 }], 'adapter: expected each once, got "a" twice.'],
      [["a", "d"], 'adapter: expected one of "a", "b", got "d". Load it with addAdapter.'],
    ] as const)
      await expect(model.logits([1], { adapter })).rejects.toMatchObject({ name: "RangeError", message });
    await expect(model.logits([1], { adapter: ["a", 3 as unknown as string] })).rejects.toBeInstanceOf(
      TypeError,
    );
    // None of these holds one, and what a removed one has computed is not found again.
    await other.removeAdapter("c");
    await other.addAdapter("c", twoAdapters.a);
    expect((await run(other, next, [{ name: "c", scale: -0.5 }, "b"])).cachedTokens).toBe(0);
    other.dispose();
  });

  test("log-probabilities of a text", async () => {
    const { ids } = mixed[3]!;
    const own = await model.score(ids);
    const adapted = await model.score(ids, { adapter: "a", topLogProbs: 2 });
    expect(adapted.perplexity).not.toBe(own.perplexity);
    const last = await model.logits(ids.slice(0, -1), { adapter: "a" });
    const sum = last.reduce((total, logit) => total + Math.exp(logit), 0);
    expect(adapted.logProbs.at(-1)).toBeCloseTo(last[ids.at(-1)!]! - Math.log(sum), 3);
    const [likeliest] = adapted.top!.at(-1)!;
    expect(likeliest?.id).toBe(last.indexOf(Math.max(...last)));
    expect(likeliest?.logProb).toBeCloseTo(Math.max(...last) - Math.log(sum), 3);
  });

  test("what one has cached is not used by another", async () => {
    // A beginning that no other test has.
    const ids = mixed[3]!.ids.slice(0, 30).toReversed();
    for (const adapter of ["a", "b", undefined, { name: "a", scale: 0.5 }]) {
      expect((await run(model, [...ids, 5], adapter, 1)).cachedTokens).toBe(0);
      expect((await run(model, [...ids, 7], adapter, 1)).cachedTokens).toBe(30);
    }
    // Four rings hold four conversations with this beginning.
    expect((await run(model, ids, { name: "b", scale: 2 }, 1)).cachedTokens).toBe(0);
  });

  test("a session names its adapter, by contents", async () => {
    const { ids } = mixed[3]!;
    const answer = await greedy(model, ids, "a");
    const session = (await model.saveSession())!;
    const other = await load({ adapters: { renamed: twoAdapters.a } });
    const restored = await other.restoreSession(session);
    expect(restored.slice(0, ids.length)).toEqual(ids);
    const next = [...ids, ...answer, 3, 4];
    const expected = await run(model, next, "a");
    expect(expected.cachedTokens).toBeGreaterThan(ids.length);
    expect(await run(other, next, "renamed")).toEqual(expected);
    await other.removeAdapter("renamed");
    await expect(other.restoreSession(session)).rejects.toThrow(
      /adapter that it was computed with.*"a".*addAdapter/,
    );
    other.dispose();
  });

  test("an adapter is removed while a session of it is restored: first one, then the other", async () => {
    const { ids } = mixed[3]!;
    const answer = await greedy(model, ids, "a");
    const session = (await model.saveSession())!;
    const other = await load({ adapters: { a: twoAdapters.a } });
    const restoring = other.restoreSession(session);
    await Promise.all([restoring, other.removeAdapter("a")]);
    // What was restored belongs to the adapter that is gone.
    await other.addAdapter("a", twoAdapters.a);
    expect(await run(other, ids, "a")).toEqual({ ids: answer, cachedTokens: 0 });
    const removing = other.removeAdapter("a");
    await expect(other.restoreSession(session)).rejects.toThrow(/adapter that it was computed with/);
    await removing;
    other.dispose();
  });

  test("a name that is not loaded, with those that are", async () => {
    await expect(model.logits([1], { adapter: "c" })).rejects.toMatchObject({
      parameter: "adapter",
      message: 'adapter: expected one of "a", "b", got "c". Load it with addAdapter.',
    });
    await expect(run(model, [1], { name: "a", scale: Number.NaN })).rejects.toMatchObject({
      parameter: "adapter",
    });
    await expect(model.addAdapter("a", twoAdapters.b)).rejects.toMatchObject({ parameter: "name" });
    await expect(model.removeAdapter("c")).rejects.toMatchObject({ parameter: "name" });
  });

  test("removed, not while a call uses it; a name may come again with other contents", async () => {
    const { ids, greedy_16 } = mixed[1]!;
    const answer = model.generate(ids, { adapter: "b", maxTokens: 16, temperature: 0, ignoreEos: true });
    await answer.next();
    await expect(model.removeAdapter("b")).rejects.toThrow(/a call uses/);
    await answer.return();
    await model.removeAdapter("b");
    expect(model.adapters).toEqual(["a"]);
    await expect(greedy(model, ids, "b")).rejects.toThrow(/expected one of "a"/);
    expect(await greedy(model, ids, "a")).toEqual(mixed[0]!.greedy_16);
    await model.addAdapter("b", twoAdapters.a);
    expect(await run(model, ids, "b")).toEqual({ ids: mixed[0]!.greedy_16, cachedTokens: 0 });
    await model.removeAdapter("b");
    // Beside an answer that runs, which is not disturbed.
    const running = run(model, ids, "a");
    await model.addAdapter("b", twoAdapters.b);
    expect((await running).ids).toEqual(mixed[0]!.greedy_16);
    expect(await greedy(model, ids, "b")).toEqual(greedy_16);
  });
});

test("removed while calls begin: they find it whole, or not at all", async () => {
  const model = await load({ adapters: twoAdapters });
  const { ids } = mixed[0]!;
  const adapted = await model.logits(ids, { adapter: "a" });
  const removal = { done: false };
  const removing = model.removeAdapter("a").finally(() => {
    removal.done = true;
  });
  const calls: Promise<unknown>[] = [];
  while (!removal.done) {
    const found = model.logits(ids, { adapter: "a" }).catch((error: unknown) => error);
    calls.push(found);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await removing;
  for (const found of await Promise.all(calls))
    if (found instanceof Error) expect(found).toBeInstanceOf(RangeError);
    else expect(found).toEqual(adapted);
  expect(model.adapters).toEqual(["b"]);
  await model.addAdapter("a", twoAdapters.a);
  expect(await model.logits(ids, { adapter: "a" })).toEqual(adapted);
  model.dispose();
});

test.skipIf(isSlowDriver)("DoRA: a row of zeros stays, as in a merged checkpoint", async () => {
  const name = "model.layers.0.mlp.down_proj";
  const { config, tensors } = await openCheckpoint(folderSource(base));
  const { start, end, shape } = tensors.get(`${name}.weight`)!;
  const file = new Uint8Array(readFileSync(`${base}/model.safetensors`));
  file.fill(0, start, start + (end - start) / shape[0]!);
  const model = await loadModel(
    memorySource({ "config.json": readFileSync(`${base}/config.json`), "model.safetensors": file }),
    { device },
  );
  const tensor = `base_model.model.${name}.lora`;
  const adapter = adapterSource({ r: 1, use_dora: true, target_modules: ["down_proj"] }, [
    ones(`${tensor}_A.weight`, [1, config.F]),
    ones(`${tensor}_B.weight`, [config.D, 1], 0),
    ones(`${tensor}_magnitude_vector`, [config.D]),
  ]);
  await model.addAdapter("dora", adapter);
  const logits = await model.logits(mixed[0]!.ids, { adapter: "dora" });
  expect(logits.every(Number.isFinite)).toBe(true);
  model.dispose();
});

test.skipIf(isSlowDriver)("weights in act-order: as merged", async () => {
  const quantised = `${root}quantised/gptq_4bit_desc_act_g32`;
  const target_modules = ["gate_proj", "up_proj", "down_proj"];
  const tensors = target_modules.flatMap((module, m) => {
    const [N, K] = module === "down_proj" ? [64, 96] : [96, 64];
    const tensor = `base_model.model.model.layers.0.mlp.${module}.lora`;
    return [
      floats(`${tensor}_A.weight`, [2, K], (i) => Math.sin(i * (m + 1)) / 3),
      floats(`${tensor}_B.weight`, [N, 2], (i) => Math.cos(i * (m + 2)) / 6),
    ];
  });
  const source = adapterSource({ r: 2, target_modules }, tensors);
  const whole = await mergedSource(quantised, [
    await openAdapter("tuned", source, await configOf(quantised)),
  ]);
  const [plain, model] = [
    await loadModel(whole, { device, weights: "f32" }),
    await loadModel(quantised, { device, adapters: { tuned: source } }),
  ];
  const ids = [5, 17, 3, 80, 41];
  const expected = await plain.logits(ids);
  expect(worst(await model.logits(ids, { adapter: "tuned" }), [...expected])).toBeLessThan(2e-2);
  expect(worst(await model.logits(ids), [...expected])).toBeGreaterThan(0.5);
  plain.dispose();
  model.dispose();
  // What quantize writes says in which order the rows of gate_proj and up_proj are.
  const out = mkdtempSync(join(tmpdir(), "sirocco-packed-"));
  await quantizeModel(quantised, { out });
  const packed = await loadModel(out, { device, adapters: { tuned: source } });
  expect(worst(await packed.logits(ids, { adapter: "tuned" }), [...expected])).toBeLessThan(2e-2);
  packed.dispose();
  // Files of earlier versions do not.
  const file = new Uint8Array(readFileSync(join(out, "model.safetensors")));
  const { header, data } = split(file);
  const kept = Object.entries<{ data_offsets?: [number, number] }>(JSON.parse(header)).filter(
    ([name]) => !name.endsWith(".rows"),
  );
  // They are the last.
  const end = Math.max(...kept.map(([, { data_offsets: [, end] = [0, 0] }]) => end));
  const old = memorySource({
    "config.json": readFileSync(join(out, "config.json")),
    "model.safetensors": joinFile(JSON.stringify(Object.fromEntries(kept)), data.subarray(0, end)),
  });
  const earlier = await loadModel(old, { device });
  await expect(earlier.addAdapter("tuned", source)).rejects.toThrow(
    /mlp\..*act-order.*again with sirocco quantize/,
  );
  earlier.dispose();
  rmSync(out, { recursive: true });
});

test("what is not supported unmerged is refused by name", async () => {
  const model = await load();
  await expect(model.addAdapter("saved", folder("modules_to_save"))).rejects.toThrow(
    /^adapter "saved": lm_head.*modules_to_save.*sirocco merge/,
  );
  await expect(model.addAdapter("lost", "./no-such")).rejects.toThrow(
    /^adapter "lost": "\.\/no-such": expected a folder, got no such folder/,
  );
  expect(model.adapters).toEqual([]);
  await model.addAdapter("dora", folder("dora"));
  await expect(model.logits([1], { adapter: { name: "dora", scale: 2 } })).rejects.toMatchObject({
    parameter: "adapter",
  });
  await model.addAdapter("qv", folder("qv"));
  await expect(model.logits([1], { adapter: ["dora", "qv"] })).rejects.toThrow(/"dora" alone.*DoRA/);
  model.dispose();
});

test.skipIf(isSlowDriver)("several of all kinds at once: as merged", async () => {
  const names = ["r4_all", "qv", "embedding", "patterns"];
  const config = await configOf(base);
  const opened = await Promise.all(
    names.map((name) => openAdapter(name, folderSource(folder(name)), config)),
  );
  const merged = await loadModel(await mergedSource(base, opened), { device, weights: "f32" });
  const model = await load({ adapters: Object.fromEntries(names.map((name) => [name, folder(name)])) });
  const { ids } = mixed[3]!;
  const expected = await merged.logits(ids);
  expect(worst(await model.logits(ids, { adapter: names }), [...expected])).toBeLessThan(1e-3);
  expect(await greedy(model, ids, names)).toEqual(await greedy(merged, ids));
  for (const name of Array.from({ length: 5 }, (_, i) => `more-${i}`)) {
    await model.addAdapter(name, folder("qv"));
    names.push(name);
  }
  await expect(model.logits(ids, { adapter: names })).rejects.toThrow("expected at most 8 together, got 9");
  merged.dispose();
  model.dispose();
});

test.skipIf(isSlowDriver)("a lost device: adapters are put on the next, and answers continue", async () => {
  const machine = new Machine();
  const model = await machine.load(base, { chunkLength: 16 });
  await model.addAdapter("a", folderSource(twoAdapters.a));
  const { ids, greedy_16 } = mixed[3]!;
  const answer: number[] = [];
  for await (const chunk of model.generate(ids, {
    adapter: "a",
    maxTokens: 16,
    temperature: 0,
    ignoreEos: true,
  })) {
    answer.push(...chunk.ids);
    if (answer.length === 5) machine.device.destroy();
  }
  expect(answer).toEqual(greedy_16);
  expect(machine.devices.length).toBe(2);
  // A cached conversation is computed again with its adapter.
  machine.device.destroy();
  const next = await run(model, [...ids, ...answer, 3], "a", 4);
  expect(next.cachedTokens).toBeGreaterThan(ids.length);
  await model.measure(async () => {});
  expect((await run(model, [...ids, ...answer, 3], "a", 4)).ids).toEqual(next.ids);
  model.dispose();
});
