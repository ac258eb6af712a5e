// LoRA adapters as models of OpenAI's API.
import { expect, test } from "vitest";
import type { ScoreOptions } from "../../engine/node.ts";
import type { ServiceOptions } from "../../server/index.ts";
import { fakeModel } from "../fake-model.ts";
import { HELLO, serving } from "./serving.ts";

async function withAdapters(options: Partial<ServiceOptions> = {}) {
  const { model, calls } = fakeModel();
  const scored: ScoreOptions[] = [];
  const score: typeof model.score = (input, options = {}) => {
    scored.push(options);
    return model.score(input, options);
  };
  const adapters = ["pirate", "legal"];
  const { get, post } = await serving({ ...model, adapters, score }, { aliases: ["legal"], ...options });
  return { get, post, calls, scored };
}

test("adapters are listed beside the model, with their parent", async () => {
  const { get } = await withAdapters();
  const { data } = await (await get("/v1/models")).json();
  // A name of the model stays one.
  expect(data.map(({ id, root, parent }: Record<string, string>) => [id, root, parent])).toEqual([
    ["paper", "paper", null],
    ["legal", "paper", null],
    ["pirate", "pirate", "paper"],
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

/** The three calls that answer: their path, and a body without adapters. */
const ANSWERING = [
  ["/v1/chat/completions", HELLO],
  ["/v1/completions", { prompt: "Once", max_tokens: 2 }],
  ["/client/v4/accounts/a/ai/run/paper", { prompt: "Once" }],
] as const;

test("llama.cpp's default scales apply to requests that name no adapter", async () => {
  const adapterScales = [{ name: "legal", scale: 0.5 }];
  const { get, post, calls } = await withAdapters({ aliases: [], adapterScales });
  const list = async () => (await get("/lora-adapters")).json();
  expect(await list()).toEqual([
    { id: 0, path: "pirate", scale: 0 },
    { id: 1, path: "legal", scale: 0.5 },
  ]);
  for (const [given, expected] of [
    [undefined, [{ name: "legal", scale: 0.5 }]],
    [
      [
        { id: 1, scale: -2, path: "as listed" },
        { id: 0, scale: 1 },
      ],
      [
        { name: "legal", scale: -2 },
        { name: "pirate", scale: 1 },
      ],
    ],
    // What is not in the list is off.
    [[{ id: 0, scale: 3 }], [{ name: "pirate", scale: 3 }]],
    [[{ id: 0, scale: 0 }], undefined],
    [[], undefined],
  ] as const) {
    if (given) expect(await (await post("/lora-adapters", given)).json()).toEqual({ success: true });
    for (const [path, body] of ANSWERING) {
      expect([path, (await post(path, body)).status]).toEqual([path, 200]);
      expect(calls.at(-1)?.options.adapter).toEqual(expected);
    }
  }
  await post("/lora-adapters", [{ id: 1, scale: 1 }]);
  expect((await list()).map(({ scale }: { scale: number }) => scale)).toEqual([0, 1]);
  // One that names its adapter has only that one.
  await post("/v1/completions", { prompt: "Once", model: "pirate" });
  expect(calls.at(-1)?.options.adapter).toBe("pirate");
  await post("/client/v4/accounts/a/ai/run/paper", { prompt: "Once", lora: "pirate" });
  expect(calls.at(-1)?.options.adapter).toBe("pirate");
});

test("lora of a request is used in place of the default scales", async () => {
  const adapterScales = [{ name: "legal", scale: 0.5 }];
  const { post, calls } = await withAdapters({ aliases: [], adapterScales });
  for (const [path, body] of ANSWERING.slice(0, 2)) {
    for (const [lora, expected] of [
      [[{ id: 0, scale: 0.25 }], [{ name: "pirate", scale: 0.25 }]],
      [[], undefined],
      [[{ id: 1, scale: 0 }], undefined],
      [null, [{ name: "legal", scale: 0.5 }]],
    ] as const) {
      expect((await post(path, { ...body, lora })).status).toBe(200);
      expect(calls.at(-1)?.options.adapter).toEqual(expected);
    }
    const both = await post(path, { ...body, model: "pirate", lora: [{ id: 0, scale: 1 }] });
    expect([both.status, (await both.json()).error.param]).toEqual([400, "lora"]);
  }
});

test.each([
  [{}, "", /expected a list of \{ id, scale \}, got an object/],
  [5, "", /expected a list/],
  [[{ id: 2, scale: 1 }], "[0].id", /expected an id that GET \/lora-adapters lists, got 2/],
  [[{ id: -1, scale: 1 }], "[0].id", /got -1/],
  [[{ id: 0.5, scale: 1 }], "[0].id", /got 0.5/],
  [[{ id: "length", scale: 1 }], "[0].id", /got "length"/],
  [[{ scale: 1 }], "[0].id", /got nothing/],
  [[{ id: 0, scale: 1 }, null], "[1]", /expected \{ id, scale \}, got null/],
  [
    [
      { id: 0, scale: 1 },
      { id: 0, scale: 2 },
    ],
    "[1].id",
    /expected each id once, got 0 twice/,
  ],
  [[{ id: 0 }], "[0].scale", /expected a number, got nothing/],
  [[{ id: 0, scale: "1" }], "[0].scale", /expected a number/],
  [[{ id: 0, scale: 1001 }], "[0].scale", /expected -1000 to 1000/],
  [[{ id: 0, scale: 1, task: "x" }], "[0].task", /expected none/],
  [Array.from({ length: 3 }, (_, id) => ({ id, scale: 1 })), "", /expected at most 2 adapters, got 3/],
])("scales that cannot be: %j", async (given, at, message) => {
  const { get, post, calls } = await withAdapters();
  const before = await (await get("/lora-adapters")).json();
  for (const [path, body, where] of [
    ["/lora-adapters", given, "body"],
    ["/v1/completions", { prompt: "Once", lora: given }, "lora"],
    ["/v1/chat/completions", { ...HELLO, lora: given }, "lora"],
  ] as const) {
    const response = await post(path, body);
    const { error } = await response.json();
    expect([response.status, error.param]).toEqual([400, where + at]);
    expect(error.message).toMatch(message);
  }
  expect(await (await get("/lora-adapters")).json()).toEqual(before);
  expect(calls).toEqual([]);
});

test("scales are for those with a key, in a body of limited size", async () => {
  const { get, post } = await withAdapters({ keys: ["secret-key-of-16-letters"] });
  expect((await get("/lora-adapters")).status).toBe(401);
  expect((await post("/lora-adapters", [])).status).toBe(401);
  const open = await withAdapters({ limits: { bodyBytes: 1000 } });
  expect((await open.post("/lora-adapters", "[".repeat(1001))).status).toBe(413);
  expect((await open.post("/lora-adapters", "[".repeat(900))).status).toBe(400);
  expect((await open.post("/lora-adapters", "[{")).status).toBe(400);
});
