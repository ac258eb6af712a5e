// LoRA adapters as models of OpenAI's API.
import { expect, test } from "vitest";
import type { ScoreOptions } from "../../engine/node.ts";
import { fakeModel } from "../fake-model.ts";
import { HELLO, serving } from "./serving.ts";

async function withAdapters() {
  const { model, calls } = fakeModel();
  const scored: ScoreOptions[] = [];
  const score: typeof model.score = (input, options = {}) => {
    scored.push(options);
    return model.score(input, options);
  };
  const adapters = ["pirate", "legal"];
  const { get, post } = await serving({ ...model, adapters, score }, { aliases: ["legal"] });
  return { get, post, calls, scored };
}

test("adapters are listed beside the model, with their parent", async () => {
  const { get } = await withAdapters();
  const { data } = await (await get("/v1/models")).json();
  // A name of the model stays one.
  expect(data.map(({ id, parent }: { id: string; parent?: string }) => [id, parent])).toEqual([
    ["paper", undefined],
    ["legal", undefined],
    ["pirate", "paper"],
  ]);
  expect(await (await get("/v1/models/pirate")).json()).toEqual(data[2]);
});

test("the name of an adapter as model: its answers, under its name", async () => {
  const { post, calls, scored } = await withAdapters();
  const text = { prompt: "Once", max_tokens: 2, logprobs: 1, echo: true };
  for (const [path, body] of [
    ["/v1/chat/completions", HELLO],
    ["/v1/completions", text],
  ] as const)
    for (const [model, adapter] of [
      ["pirate", "pirate"],
      ["paper", undefined],
      ["legal", undefined],
    ]) {
      const { model: named } = await (await post(path, { ...body, model })).json();
      expect([named, calls.at(-1)?.options.adapter]).toEqual([model, adapter]);
      if (path === "/v1/completions") expect(scored.at(-1)?.adapter).toBe(adapter);
    }
  const stream = await (
    await post("/v1/chat/completions", { ...HELLO, model: "pirate", stream: true })
  ).text();
  expect(stream).toContain('"model":"pirate"');
  expect(calls.at(-1)?.options.adapter).toBe("pirate");
});

test("the tokenizer's routes take the name, as programs send it to all routes", async () => {
  const { post } = await withAdapters();
  for (const path of ["/tokenize", "/v1/tokenize"]) {
    const { status } = await post(path, {
      model: "pirate",
      [path === "/tokenize" ? "prompt" : "input"]: "Hi",
    });
    expect([path, status]).toEqual([path, 200]);
  }
});

test("an unknown name is a 404 that lists all; where no adapter can be used, its name is unknown", async () => {
  const { post, calls } = await withAdapters();
  const { error } = await (await post("/v1/completions", { model: "none", prompt: "Hi" })).json();
  expect(error).toMatchObject({ code: "model_not_found", param: "model" });
  expect(error.message).toBe('model: expected paper, legal, pirate, got "none".');
  const judged = await post("/v1/moderations", { model: "pirate", input: "Hi" });
  expect([judged.status, (await judged.json()).error.message]).toEqual([
    404,
    'model: expected paper, legal, got "pirate".',
  ]);
  const run = await post("/client/v4/accounts/a/ai/run/pirate", { prompt: "Hi" });
  expect([run.status, calls]).toEqual([400, []]);
});
