// `LanguageModel` on the embedded model.
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadModel, type Model } from "../../engine/node.ts";
import { createLanguageModel, type LanguageModelConstructor } from "../../engine/prompt-api.ts";

let model: Model;
let LanguageModel: LanguageModelConstructor;
const greedy = { temperature: 0, topK: 1 };

beforeAll(async () => {
  model = await loadModel();
  LanguageModel = createLanguageModel({ model, maxTokens: 16 });
});
afterAll(() => model?.dispose());

test("the answers of chat, in two turns; a clone and a stream say the same", async () => {
  const messages = [{ role: "user", content: "Tell me a story." }] as const;
  const first = await model.answer(messages, { temperature: 0, maxTokens: 16 });
  const session = await LanguageModel.create(greedy);
  expect(await session.prompt("Tell me a story.")).toBe(first.text);
  expect(session.contextUsage).toBe(first.usage.promptTokens + 16);
  const more = [
    ...messages,
    { role: "assistant", content: first.text },
    { role: "user", content: "And then?" },
  ] as const;
  const second = await model.answer(more, { temperature: 0, maxTokens: 16 });
  const clone = await session.clone();
  expect(await session.prompt("And then?")).toBe(second.text);
  let streamed = "";
  for await (const text of clone.promptStreaming("And then?")) streamed += text;
  expect(streamed).toBe(second.text);
});

test("an answer is held to a constraint, and continues a prefix", async () => {
  const session = await createLanguageModel({ model }).create(greedy);
  const schema = {
    type: "object",
    properties: { cat: { type: "boolean" } },
    required: ["cat"],
    additionalProperties: false,
  };
  const answer = await session.prompt("Is there a cat?", { responseConstraint: schema });
  expect(typeof JSON.parse(answer).cat).toBe("boolean");
  const responseConstraint = /^ (dog|cat)\.$/;
  const omitResponseConstraintInput = true;
  const prompt = [
    { role: "user", content: "Who is it?" },
    { role: "assistant", content: "It was a", prefix: true },
  ] as const;
  expect(await session.prompt(prompt, { responseConstraint, omitResponseConstraintInput })).toMatch(
    /^ (dog|cat)\.$/,
  );
});

test("what cannot be held to is a NotSupportedError that names the place; the session goes on", async () => {
  const session = await LanguageModel.create({
    ...greedy,
    initialPrompts: [{ role: "system", content: "Be kind." }],
  });
  expect(session.contextUsage).toBeGreaterThan(3);
  const wrong = session.prompt("Hi", {
    responseConstraint: { type: "object", properties: { a: { not: {} } } },
  });
  await expect(wrong).rejects.toMatchObject({
    name: "NotSupportedError",
    message: expect.stringMatching(/^responseConstraint/),
  });
  await session.append([{ role: "user", content: "My name is Tom." }]);
  expect(await session.measureContextUsage("Hi")).toBeGreaterThan(0);
  expect(await session.prompt("Hi")).not.toBe("");
});

test("a session on a short context goes on for ever", async () => {
  const small = await loadModel(undefined, { contextLength: 64, parallel: 1 });
  const session = await createLanguageModel({ model: small, maxTokens: 8 }).create(greedy);
  let overflows = 0;
  session.oncontextoverflow = () => overflows++;
  for (let i = 0; i < 4; i++) await session.prompt("Tell me a story about a dog.");
  expect(overflows).toBeGreaterThan(0);
  expect(session.contextUsage).toBeLessThanOrEqual(64);
  await expect(session.prompt("dog ".repeat(100))).rejects.toMatchObject({
    name: "QuotaExceededError",
    quota: 64,
  });
  small.dispose();
  await expect(session.prompt("Hi")).rejects.toMatchObject({ name: "InvalidStateError" });
});
