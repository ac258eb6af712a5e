// Answers of a LoRA adapter that is named as the model, on the embedded model.
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel, type Model } from "../../engine/node.ts";
import { createService, type Listening, listen } from "../../server/index.ts";
import { adapterSource, floats, ones } from "../weights/adapter-files.ts";

const PROMPT = "Once upon a time";

let model: Model;
let server: Listening;
const module = "base_model.model.model.layers.0.mlp.down_proj";
const wave = (i: number) => Math.sin(7 * i + 1);
beforeAll(async () => {
  model = await loadModel();
  const { D, F } = model.config;
  const tensors = [
    floats(`${module}.lora_A.weight`, [2, F], wave),
    floats(`${module}.lora_B.weight`, [D, 2], wave),
  ];
  const config = { r: 2, lora_alpha: 2, target_modules: ["down_proj"] };
  await model.addAdapter("waves", adapterSource(config, tensors));
  server = await listen(createService(model, { name: "tiny-mistral" }), { host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await server?.close({ drainMs: 0 });
  model?.dispose();
});

async function complete(named: string) {
  const body = { model: named, prompt: PROMPT, max_tokens: 8, temperature: 0, logprobs: 0, echo: true };
  const headers = { "Content-Type": "application/json" };
  const call = { method: "POST", headers, body: JSON.stringify(body) };
  return (await fetch(`${server.url}/v1/completions`, call)).json();
}

test("text and log-probabilities of prompt and answer are the adapter's", async () => {
  for (const named of ["waves", "tiny-mistral"]) {
    const chosen = named === "waves" ? { adapter: named } : {};
    let text = PROMPT;
    for await (const chunk of model.generate(PROMPT, { temperature: 0, maxTokens: 8, ...chosen }))
      text += chunk.text;
    const { logProbs } = await model.score(PROMPT, chosen);
    const found = await complete(named);
    expect([found.model, found.choices[0].text]).toEqual([named, text]);
    const [, ...own] = found.choices[0].logprobs.token_logprobs;
    expect(own.slice(0, logProbs.length)).toEqual([...logProbs]);
  }
  const [tuned, base] = [await complete("waves"), await complete("tiny-mistral")];
  expect(tuned.choices[0].text).not.toBe(base.choices[0].text);
});

test("scales that the engine would refuse are refused where they are given, and those before stay", async () => {
  const { D, F } = model.config;
  const small = [ones(`${module}.lora_A.weight`, [1, F]), ones(`${module}.lora_B.weight`, [D, 1], 0.01)];
  const config = { r: 1, target_modules: ["down_proj"] };
  const norms = ones(`${module}.lora_magnitude_vector`, [D]);
  await model.addAdapter("dora", adapterSource({ ...config, use_dora: true }, [...small, norms]));
  const more = Array.from({ length: 8 }, (_, i) => `more-${i}`);
  for (const name of more) await model.addAdapter(name, adapterSource(config, small));
  const send = async (path: string, body: unknown) => {
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(server.url + path, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: response.status, ...(await response.json()) };
  };
  const list = async () => (await fetch(`${server.url}/lora-adapters`)).json();
  expect(await send("/lora-adapters", [{ id: 1, scale: 1 }])).toEqual({ status: 200, success: true });
  const before = await list();
  const [first, dora, ...others] = model.adapters.keys();
  for (const [lora, says] of [
    [[{ id: dora, scale: 0.5 }], /expected the scale 1 for "dora"/],
    [
      [
        { id: dora, scale: 1 },
        { id: first, scale: 1 },
      ],
      /expected "dora" alone/,
    ],
    [[first, ...others].map((id) => ({ id, scale: 1 })), /expected at most 8 together, got 9/],
  ] as const) {
    const set = await send("/lora-adapters", lora);
    expect([set.status, set.error.param, set.error.message]).toEqual([
      400,
      "body",
      expect.stringMatching(says),
    ]);
    const used = await send("/v1/completions", { prompt: PROMPT, lora });
    expect([used.status, used.error.param, used.error.message]).toEqual([
      400,
      "lora",
      expect.stringMatching(says),
    ]);
  }
  expect(await list()).toEqual(before);
  expect((await send("/v1/completions", { prompt: PROMPT, max_tokens: 1 })).status).toBe(200);
  const adapterScales = [{ name: "dora", scale: 0.5 }];
  const { defaultAdapters } = createService(model, { name: "tiny-mistral", adapterScales });
  await expect(defaultAdapters.check("--adapter-model")).rejects.toThrow(
    /^--adapter-model: expected the scale 1 for "dora"/,
  );
  // No call of those that were refused holds an adapter.
  for (const name of more) await model.removeAdapter(name);
});
