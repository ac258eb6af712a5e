// Answers of a LoRA adapter that is named as the model, on the embedded model.
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel, type Model } from "../../engine/node.ts";
import { createService, type Listening, listen } from "../../server/index.ts";
import { adapterSource, floats } from "../weights/adapter-files.ts";

const PROMPT = "Once upon a time";

let model: Model;
let server: Listening;
beforeAll(async () => {
  model = await loadModel();
  const { D, F } = model.config;
  const module = "base_model.model.model.layers.0.mlp.down_proj";
  const wave = (i: number) => Math.sin(7 * i + 1);
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
