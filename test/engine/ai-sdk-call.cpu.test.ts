// Calls of the AI SDK are parsed with the same table of options as the other dialects.
import type { LanguageModelV3CallOptions } from "@ai-sdk/provider";
import { expect, test } from "vitest";
import { sirocco } from "../../engine/ai-sdk.ts";
import { readCall } from "../../engine/apis/ai-sdk/call.ts";

const USER = { role: "user" as const, content: [{ type: "text" as const, text: "Hi" }] };
const LAST = { role: "assistant" as const, content: [{ type: "text" as const, text: "Once" }] };
const read = (call: object) => readCall({ prompt: [USER], ...call } as LanguageModelV3CallOptions);

test("fields that ask for nothing set no option", () => {
  const call = { seed: -1, topK: -1, maxOutputTokens: undefined, stopSequences: [], headers: {} };
  expect(read(call)).toEqual({ messages: [{ role: "user", content: "Hi" }], options: {}, warnings: [] });
});

test("invalid values are refused by the SDK's name for the option", () => {
  expect(() => read({ maxOutputTokens: 1.5 })).toThrow(/^maxOutputTokens: expected a whole number/);
  expect(() => read({ topP: 2 })).toThrow(
    expect.objectContaining({ parameter: "topP", message: "topP: expected a number from 0 to 1, got 2." }),
  );
});

test("unknown options give a warning", () => {
  const call = JSON.parse(
    '{ "topkay": 5, "__proto__": { "a": 1 }, "providerOptions": { "sirocco": { "minP": 1 } } }',
  );
  const { warnings } = readCall(Object.assign(call, { prompt: [USER] }));
  expect(warnings).toMatchObject(
    ["topkay", "__proto__", "providerOptions.sirocco.minP"].map((feature) => ({ feature })),
  );
});

test("an assistant's last message is continued; changes to the conversation are reported", async () => {
  const finish = { reason: "stop", promptTokens: 1, cachedTokens: 0, completionTokens: 1, warnings: ["w"] };
  const asked: object[] = [];
  const model = sirocco({
    chat: async function* (_: unknown, options: object) {
      asked.push(options);
      yield { text: "Hi", ids: [5], finish };
    },
  } as never);
  const { warnings } = await model.doGenerate({ prompt: [USER, LAST] });
  expect(warnings).toEqual([{ type: "other", message: "w" }]);
  expect(asked).toEqual([{ continueFinalMessage: true }]);
  const { stream } = await model.doStream({ prompt: [USER] });
  const parts: object[] = [];
  for await (const part of stream) parts.push(part);
  expect(parts.at(-1)).toMatchObject({ providerMetadata: { sirocco: { warnings: ["w"] } } });
});
