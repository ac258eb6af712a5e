// The real AI SDK on a loaded model.
import type { LanguageModelV3 } from "@ai-sdk/provider";
import { generateText, streamText } from "ai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSirocco, sirocco } from "../../engine/ai-sdk.ts";
import { type GenerateOptions, loadModel, type Model } from "../../engine/node.ts";

const PROMPT = "Tell me a story about a bird.";

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.dispose());

async function chat(options: GenerateOptions) {
  let text = "";
  for await (const chunk of model.chat([{ role: "user", content: PROMPT }], { temperature: 0, ...options })) {
    text += chunk.text;
    if (chunk.finish) return { text, finish: chunk.finish };
  }
  throw new Error("the answer has no end");
}

test("generateText: the answer of chat, its reason and its usage", async () => {
  const { text, finish } = await chat({ maxTokens: 10 });
  const result = await generateText({
    temperature: 0,
    model: sirocco(model),
    prompt: PROMPT,
    maxOutputTokens: 10,
  });
  expect(result.text).toBe(text);
  expect(result.finishReason).toBe("length");
  expect(result.usage).toMatchObject({
    inputTokens: finish.promptTokens,
    outputTokens: 10,
    totalTokens: finish.promptTokens + 10,
  });
  expect(result.warnings ?? []).toEqual([]);
  expect(result.response.modelId).toBe("sirocco");

  const stop = text.slice(6, 10);
  const stopped = await generateText({
    temperature: 0,
    model: createSirocco(model)("named"),
    messages: [{ role: "user", content: [{ type: "text", text: PROMPT }] }],
    maxOutputTokens: 10,
    stopSequences: [stop],
  });
  expect([stopped.text, stopped.finishReason]).toEqual([text.slice(0, text.indexOf(stop)), "stop"]);
  expect(stopped.response.modelId).toBe("named");
});

test("sampling settings and the system prompt reach the model", async () => {
  const settings = { temperature: 1, topP: 0.9, topK: 40, seed: 5 };
  const { text } = await chat({ maxTokens: 10, ...settings });
  const result = await generateText({
    model: sirocco(model),
    prompt: PROMPT,
    maxOutputTokens: 10,
    ...settings,
  });
  expect(result.text).toBe(text);
  const other = await generateText({
    temperature: 0,
    model: sirocco(model),
    system: "Speak of a boat.",
    prompt: PROMPT,
    maxOutputTokens: 1,
  });
  expect(other.usage.inputTokens).toBeGreaterThan(result.usage.inputTokens ?? Infinity);
});

test("streamText: its pieces make the same text, with reason and usage at the end", async () => {
  const { text, finish } = await chat({ maxTokens: 10 });
  const result = streamText({ temperature: 0, model: sirocco(model), prompt: PROMPT, maxOutputTokens: 10 });
  const pieces: string[] = [];
  for await (const piece of result.textStream) pieces.push(piece);
  expect(pieces.length).toBeGreaterThan(2);
  expect(pieces.join("")).toBe(text);
  expect(await result.finishReason).toBe("length");
  expect(await result.usage).toMatchObject({ inputTokens: finish.promptTokens, outputTokens: 10 });
});

test("an abort ends a stream and a call, and the model still answers", async () => {
  const controller = new AbortController();
  const result = streamText({
    temperature: 0,
    model: sirocco(model),
    prompt: PROMPT,
    maxOutputTokens: 400,
    abortSignal: controller.signal,
  });
  const types: string[] = [];
  for await (const part of result.fullStream) {
    types.push(part.type);
    if (part.type === "text-delta") controller.abort();
  }
  expect(types).toContain("abort");
  expect(types.filter((type) => type === "text-delta").length).toBeLessThan(10);
  const aborted = generateText({
    model: sirocco(model),
    prompt: PROMPT,
    abortSignal: AbortSignal.abort(),
    maxRetries: 0,
  });
  await expect(aborted).rejects.toThrow(/abort/i);
  expect((await chat({ maxTokens: 2 })).finish.completionTokens).toBe(2);
});

test("options without effect give warnings; unreadable input is refused", async () => {
  const language: LanguageModelV3 = sirocco(model);
  const { warnings } = await language.doGenerate({
    prompt: [{ role: "user", content: [{ type: "text", text: PROMPT }] }],
    maxOutputTokens: 1,
    tools: [{ type: "provider", id: "sirocco.search", name: "search", args: {} }],
    providerOptions: { sirocco: { speed: 2 } },
  });
  expect(warnings).toMatchObject([
    { type: "unsupported", feature: "tool search" },
    { type: "unsupported", feature: "providerOptions.sirocco.speed" },
  ]);
  const file = { type: "file", mediaType: "image/png", data: new Uint8Array([1]) } as const;
  const call = language.doGenerate({ prompt: [{ role: "user", content: [file] }] });
  await expect(call).rejects.toThrow(/prompt\[0\].content\[0\]: expected text, got a part of type "file"/);
});
