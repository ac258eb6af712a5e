// Inspecting a running model: it shows what the model computes, and does not change later answers.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadModel, type Model } from "../../engine/node.ts";
import { openTestDevice } from "../helpers.ts";
import { firstLayerAttention } from "./first-layer.ts";

const families = new URL("../golden/families/", import.meta.url).pathname;

let device: GPUDevice;
let model: Model;
/** Labels of the objects that loading created on the device. */
const made: (string | undefined)[] = [];
beforeAll(async () => {
  device = await openTestDevice();
  const { createBuffer, createShaderModule } = device;
  device.createBuffer = (descriptor) => {
    made.push(descriptor.label);
    return createBuffer.call(device, descriptor);
  };
  device.createShaderModule = (descriptor) => {
    made.push(descriptor.label);
    return createShaderModule.call(device, descriptor);
  };
  model = await loadModel(undefined, { device, weights: "f32", parallel: 1 });
});
afterAll(() => model?.dispose());

test("costs nothing until it is used", async () => {
  const isForInspecting = (label?: string) => /attention.weights/.test(label ?? "");
  expect(made).toContain("decode logits");
  expect(made.some(isForInspecting)).toBe(false);
  await model.attention([1, 2], { layer: 0 });
  expect(made.filter(isForInspecting)).toEqual(["attention weights", "attention_weights_f32"]);
});

async function withFamily(name: string, use: (model: Model) => Promise<void>): Promise<void> {
  // With one ring, inspecting must use the conversation's ring.
  const family = await loadModel(`${families}${name}`, { chunkLength: 16, parallel: 1, device });
  try {
    await use(family);
  } finally {
    family.dispose();
  }
}

const someIds = (length: number, V: number): number[] =>
  Array.from({ length }, (_, i) => (i * i * 7 + i * 3 + 1) % V);

const sum = (row: Float32Array): number => row.reduce((a, b) => a + b, 0);

async function answer(from: Model, ids: readonly number[], maxTokens: number) {
  const answered: number[] = [];
  let cached = 0;
  for await (const chunk of from.generate(ids, { temperature: 0, maxTokens, ignoreEos: true })) {
    answered.push(...chunk.ids);
    cached = chunk.finish?.cachedTokens ?? cached;
  }
  return { ids: answered, cached };
}

describe("attention", () => {
  // Multi-head, grouped-query and multi-query: the weights show which key/value head a query head reads.
  test.each(["mha_4x4", "gqa_4x2", "mqa_4x1", "window_7"])(
    "%s: the first layer's weights equal those of plain arithmetic",
    (name) =>
      withFamily(name, async (family) => {
        const { config } = family;
        const ids = someIds(23, config.V);
        const expected = firstLayerAttention(`${families}${name}`, config, ids);
        const { weights, firstPosition, heads, groups } = await family.attention(ids, { layer: 0 });
        expect({ heads, groups }).toEqual({ heads: config.H, groups: config.G });
        expect(firstPosition).toBe(Math.max(0, ids.length - (config.W ?? Infinity)));
        expect(weights.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
        weights.forEach((row, h) => {
          expect(sum(row)).toBeCloseTo(1, 5);
          row.forEach((weight, i) => {
            expect(weight, `head ${h}, ${i}`).toBeCloseTo(expected[h]![i]!, 4);
          });
        });
        const [one, ...others] = (await family.attention(ids, { layer: 0, head: 1 })).weights;
        expect(others).toEqual([]);
        one!.forEach((weight, i) => {
          expect(weight).toBeCloseTo(expected[1]![i]!, 4);
        });
      }),
  );

  test("rolls with the window, in every layer", () =>
    withFamily("window_7", async (family) => {
      const { L, V, W, H } = family.config;
      for (const layer of [0, L - 1]) {
        const { weights, firstPosition } = await family.attention(someIds(W! + 40, V), { layer });
        expect(firstPosition).toBe(40);
        expect(weights.map((row) => row.length)).toEqual(Array(H).fill(W));
        for (const row of weights) expect(sum(row)).toBeCloseTo(1, 5);
      }
    }));

  test("refuses layers and heads out of range", async () => {
    await expect(model.attention([1], { layer: 6 })).rejects.toThrow(
      "layer: expected a whole number from 0 to 5, got 6.",
    );
    await expect(model.attention([1], { layer: 0, head: -1 })).rejects.toThrow("head: expected");
    expect((await model.attention([1], { layer: 0 })).weights[0]).toEqual(new Float32Array([1]));
  });
});

describe("candidates", () => {
  test("are the softmax of the logits, likeliest first", async () => {
    const ids = await model.encode("Once upon a");
    const candidates = await model.candidates(ids, { count: 5 });
    const logits = Array.from(await model.logits(ids));
    const total = logits.reduce((all, logit) => all + Math.exp(logit), 0);
    expect(candidates.length).toBe(5);
    expect(candidates[0]).toMatchObject({ id: logits.indexOf(Math.max(...logits)), text: " time" });
    candidates.forEach(({ id, probability }, i) => {
      expect(probability).toBeCloseTo(Math.exp(logits[id]!) / total, 5);
      expect(probability).toBeLessThanOrEqual(candidates[i - 1]?.probability ?? 1);
    });
    const all = await model.candidates(ids, { count: model.config.V });
    expect(all.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 9);
  });

  test("a count below 1 is refused", () =>
    expect(model.candidates([1], { count: 0 })).rejects.toThrow(
      "count: expected a positive whole number, got 0.",
    ));
});

test("encodeChat gives the ids that chat answers", async () => {
  const messages = [{ role: "user", content: "Tell me a story." }] as const;
  const ids = await model.encodeChat(messages);
  expect(await model.decode(ids)).toContain("Tell me a story.");
  for await (const { finish } of model.chat(messages, { temperature: 0, maxTokens: 1 }))
    if (finish) expect(finish.promptTokens).toBe(ids.length);
});

test("generate from these ids, standalone, gives the answer of chat", async () => {
  const messages = [
    { role: "assistant", content: "Hello." },
    { role: "user", content: "Tell me a story." },
  ] as const;
  const read = async (chunks: ReturnType<typeof model.generate>) => {
    let text = "";
    let warnings: readonly string[] = [];
    for await (const chunk of chunks) {
      text += chunk.text;
      warnings = chunk.finish?.warnings ?? [];
    }
    return { text, warnings };
  };
  const warnings: string[] = [];
  const ids = await model.encodeChat(messages, { onWarning: (warning) => warnings.push(warning) });
  const chat = await read(model.chat(messages, { temperature: 0, maxTokens: 8 }));
  const { text } = await read(model.generate(ids, { temperature: 0, maxTokens: 8, standalone: true }));
  expect({ text, warnings }).toEqual(chat);
  expect(warnings).toHaveLength(1);
  expect((await read(model.generate(ids, { temperature: 0, maxTokens: 8 }))).text.trimStart()).toBe(text);
});

describe("profile", () => {
  test("has every kernel of a step", async () => {
    const times = await model.profile();
    const { L } = model.config;
    const launches = new Map(times.map(({ kernel, launches }) => [kernel, launches]));
    expect([...launches.keys()].sort()).toEqual(
      [
        "attention_lane_f32",
        "embed_f32",
        "gate_up_f32_lane",
        "matvec_f32_lane",
        "matvec_norm_f32_lane",
        "qkv_f32_lane",
        "sample",
      ].sort(),
    );
    expect(launches.get("attention_lane_f32")).toBe(L);
    expect(launches.get("matvec_f32_lane")).toBe(2 * L);
    expect(launches.get("sample")).toBe(1);
    for (const { milliseconds, clock } of times) {
      expect(milliseconds).toBeGreaterThan(0);
      expect(clock).toBe(device.features.has("timestamp-query") ? "gpu" : "host");
    }
    expect(times.map(({ milliseconds }) => milliseconds)).toEqual(
      times.map(({ milliseconds }) => milliseconds).sort((a, b) => b - a),
    );
  });
});

describe("a conversation", () => {
  // Short, and longer than the ring: inspecting overwrites slots.
  test.each([5, 60])("continues with the same tokens after inspecting, from %i tokens", (length) =>
    withFamily("window_7", async (family) => {
      const prompt = someIds(length, family.config.V);
      const whole = await answer(family, prompt, 16);
      const half = await answer(family, prompt, 8);
      const sofar = [...prompt, ...half.ids];
      await family.profile();
      await family.attention(sofar.slice(0, -3), { layer: 1 });
      await family.candidates(sofar.slice(0, -2));
      await family.profile();
      const rest = await answer(family, sofar, 8);
      expect([...half.ids, ...rest.ids]).toEqual(whole.ids);
      // Only the answer's last token was computed again.
      expect(rest.cached).toBe(sofar.length - 1);
      // Inspecting another text takes over the cache, and the conversation still continues the same.
      await family.attention([...prompt.slice(0, 3), 7, 8], { layer: 0 });
      await family.profile();
      const again = await answer(family, sofar, 8);
      expect(again.ids).toEqual(rest.ids);
      expect(again.cached).toBeLessThan(sofar.length - 1);
    }),
  );

  test("a text that was only inspected is not reused as computed", async () => {
    const ids = someIds(20, model.config.V);
    const expected = await answer(model, ids, 8);
    await model.logits([9]);
    await model.attention(ids, { layer: 0 });
    // The layers above the first did not compute the last token: it is not reused.
    const after = await answer(model, [...ids, expected.ids[0]!], 7);
    expect(after.cached).toBe(ids.length - 1);
    expect(after.ids).toEqual(expected.ids.slice(1));
  });
});
