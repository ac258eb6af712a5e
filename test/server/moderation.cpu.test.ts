// Moderation with a fake model: OpenAI's call, and --moderate on every route.
import { describe, expect, test } from "vitest";
import type { ServiceOptions } from "../../server/index.ts";
import { type FakeModelOptions, fakeModel } from "../fake-model.ts";
import { eventsOf, gate, HELLO, serving, until } from "./serving.ts";

const MODERATIONS = "/v1/moderations";
const CHAT = "/v1/chat/completions";
const TEXT = "/v1/completions";
const WORKERS_AI = "/client/v4/accounts/a/ai/run/paper";

/** Flags what speaks of bombs or cats. */
const labelOf = (text: string) =>
  text.includes("bomb") ? "illegal" : text.includes("cat") ? "hateful" : "acceptable";

async function serve(paper: FakeModelOptions = {}, options: Partial<ServiceOptions> = {}) {
  const fake = fakeModel({ labelOf, ...paper });
  return { ...fake, ...(await serving(fake.model, options)) };
}

const chat = (content: string) => ({ messages: [{ role: "user", content }] });
const BOMB = "Earlier.\n\nbuild a bomb";
const SAFE = { pieces: ["There ", "was ", "a ", "dog."] };

describe("POST /v1/moderations", () => {
  test("judges a text, several, or the parts of one, in OpenAI's shape", async () => {
    const { post, log } = await serve();
    const one = await (await post(MODERATIONS, { input: "a bomb", model: "paper" })).json();
    expect(one).toEqual({
      id: expect.stringMatching(/^modr-[0-9a-f]{32}$/),
      model: "paper",
      results: [
        {
          flagged: true,
          categories: {
            illegal_activities: true,
            hateful_or_violent_content: false,
            unqualified_advice: false,
          },
          category_scores: {
            illegal_activities: 0.9,
            hateful_or_violent_content: expect.closeTo(0.1 / 3),
            unqualified_advice: expect.closeTo(0.1 / 3),
          },
          category_applied_input_types: {
            illegal_activities: ["text"],
            hateful_or_violent_content: ["text"],
            unqualified_advice: ["text"],
          },
        },
      ],
    });
    const flags = async (input: unknown) => {
      const { results } = await (await post(MODERATIONS, { input, role: "assistant" })).json();
      return results.map(({ flagged }: { flagged: boolean }) => flagged);
    };
    expect(await flags(["a bird", "a cat", ""])).toEqual([false, true, false]);
    expect(await flags(["a bird", "a bomb"].map((text) => ({ type: "text", text })))).toEqual([true]);
    await until(() => log.length === 3, "the log");
    expect(log[0]).toMatchObject({ status: 200, promptTokens: 7, completionTokens: 0 });
  });

  test("refuses what it cannot judge by name", async () => {
    const { post } = await serve({ contextLength: 20 });
    for (const [body, param, status = 400] of [
      [{}, "input"],
      [{ input: [] }, "input"],
      [{ input: 3 }, "input"],
      [{ input: Array.from({ length: 65 }, () => "x") }, "input"],
      [{ input: ["x", 3] }, "input[1]"],
      [{ input: [{ type: "image_url", image_url: { url: "x" } }] }, "input[0]"],
      [{ input: "x".repeat(400) }, "input"],
      [{ input: "x", role: "tool" }, "role"],
      [{ input: "x", model: "omni-moderation-latest" }, "model", 404],
      [{ input: "x", other: 1 }, "other"],
    ] as const) {
      const response = await post(MODERATIONS, body);
      expect([response.status, (await response.json()).error.param]).toEqual([status, param]);
    }
  });

  test("waits for a slot like an answer, and is refused if the queue is full", async () => {
    const { wait, open } = gate();
    const { post, service } = await serve({ ...SAFE, before: wait }, { parallel: 1, queue: 1 });
    const answer = post(CHAT, HELLO);
    await until(() => service.admission.running === 1, "the answer");
    const judged = post(MODERATIONS, { input: ["a", "b"] });
    await until(() => service.admission.waiting === 1, "the queue");
    expect((await post(MODERATIONS, { input: "c" })).status).toBe(429);
    open();
    expect((await answer).status).toBe(200);
    expect((await judged).status).toBe(200);
    await until(() => service.admission.running === 0, "the end");
  });
});

describe("--moderate reject", () => {
  test.each([
    [CHAT, chat(BOMB)],
    [CHAT, { ...chat(BOMB), stream: true, n: 2 }],
    [
      CHAT,
      {
        messages: [
          ...chat("bomb").messages,
          { role: "assistant", content: "No." },
          ...chat("Go on").messages,
        ],
      },
    ],
    [TEXT, { prompt: ["fine", "bomb"] }],
    [TEXT, { prompt: "bomb", stream: true }],
  ])("%s: a flagged prompt is a 400, and no answer begins", async (path, body) => {
    const { post, calls, service, get } = await serve(SAFE, { moderate: "reject" });
    const response = await post(path, body);
    expect(response.status).toBe(400);
    expect((await response.json()).error).toMatchObject({
      ...{ type: "invalid_request_error", code: "content_filter" },
      message: expect.stringContaining("The prompt was flagged: illegal_activities (0.90)."),
    });
    expect(calls).toEqual([]);
    await until(() => service.admission.running === 0, "the end");
    expect(await (await get("/metrics")).text()).toContain(
      'sirocco_moderations_total{kind="prompt",flagged="true"} 1',
    );
  });

  test("a flagged answer is withheld, whole and streamed", async () => {
    const { post, calls, log } = await serve({}, { moderate: "reject" });
    const withheld = "The answer was flagged: hateful_or_violent_content (0.90).";
    const whole = await (await post(CHAT, chat("Hello"))).json();
    expect(whole.choices[0]).toMatchObject({ message: { content: "" }, finish_reason: "content_filter" });
    expect(whole).toMatchObject({ warnings: [withheld], usage: { completion_tokens: 4 } });
    await until(() => log.length === 1, "the log");
    expect(log[0]).toMatchObject({ status: 200, warnings: [withheld] });

    const text = await (await post(TEXT, { prompt: "Hello" })).json();
    expect(text.choices[0]).toMatchObject({ text: "", finish_reason: "content_filter" });
    for (const [path, body] of [
      [CHAT, { ...chat("Hello"), stream: true }],
      [TEXT, { prompt: "Hello", stream: true }],
    ] as const) {
      const streamed = await (await post(path, body)).text();
      expect(streamed).toContain('"finish_reason":"content_filter"');
      expect(streamed).not.toMatch(/There|cat\./);
    }
    expect(calls.every(({ end }) => end === "stop")).toBe(true);
  });

  test("what is acceptable passes, a stream when it has been judged", async () => {
    const { post } = await serve(SAFE, { moderate: "reject" });
    const whole = await (await post(CHAT, { ...chat("Hello"), n: 2 })).json();
    expect(whole.choices.map((choice: { message: unknown }) => choice.message)).toMatchObject([
      { content: "There was a dog." },
      { content: "There was a dog." },
    ]);
    expect(whole).not.toHaveProperty("warnings");
    const events = eventsOf(await (await post(CHAT, { ...chat("Hello"), stream: true })).text()) as {
      choices: { delta: { content?: string }; finish_reason: string | null }[];
    }[];
    const text = events.map((event) => event.choices?.[0]?.delta.content ?? "").join("");
    expect([text, events.at(-2)?.choices[0]?.finish_reason]).toEqual(["There was a dog.", "stop"]);
  });

  test("Workers AI: both are errors", async () => {
    const { post } = await serve({}, { moderate: "reject" });
    for (const [body, what] of [
      [{ prompt: "bomb" }, "prompt"],
      [chat("bomb"), "prompt"],
      [chat("Hello"), "answer"],
    ] as const) {
      const response = await post(WORKERS_AI, body);
      expect(response.status).toBe(400);
      expect((await response.json()).errors[0].message).toContain(`The ${what} was flagged`);
    }
    const streamed = await (await post(WORKERS_AI, { ...chat("Hello"), stream: true })).text();
    expect(streamed).toContain("The answer was flagged");
    expect(streamed).not.toContain("There");
  });
});

test("--moderate flag: everything passes as it comes, with warnings", async () => {
  const { post, log } = await serve({}, { moderate: "flag" });
  const warnings = [
    "The prompt was flagged: illegal_activities (0.90).",
    "The answer was flagged: hateful_or_violent_content (0.90).",
  ];
  const whole = await (await post(CHAT, chat("bomb"))).json();
  expect(whole).toMatchObject({
    choices: [{ message: { content: "There was a cat." }, finish_reason: "stop" }],
    warnings,
  });
  const workersAi = await (await post(WORKERS_AI, chat("bomb"))).json();
  expect(workersAi.result).toMatchObject({ response: "There was a cat.", warnings });
  const text = await (await post(TEXT, { prompt: "bomb" })).json();
  expect(text.choices[0]).toMatchObject({ text: "There was a cat.", finish_reason: "stop" });
  await until(() => log.length === 3, "the log");
  expect(log.map((line) => line["warnings"])).toEqual([warnings, warnings, warnings]);
});

test("--moderate flag: a stream does not wait for the verdict", async () => {
  const { wait, open } = gate();
  const { post } = await serve({ before: (piece) => piece === 2 && wait() }, { moderate: "flag" });
  const response = await post(CHAT, { ...chat("Hello"), stream: true });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  while (!seen.includes("was ")) seen += (await reader?.read())?.value ?? "";
  open();
  for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read())
    seen += piece.value;
  expect(seen).toContain('"warnings":["The answer was flagged');
});
