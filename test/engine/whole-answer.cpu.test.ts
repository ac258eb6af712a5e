// `answer`: the chunks of `chat` in one value.
import { expect, test } from "vitest";
import type { Chunk, Finish } from "../../engine/api.ts";
import { wholeAnswer } from "../../engine/whole-answer.ts";
import { fakeModel } from "../fake-model.ts";

const hello = [{ role: "user", content: "Hi" }] as const;
const FINISH: Finish = {
  ...{ reason: "stop", promptTokens: 7, cachedTokens: 3, completionTokens: 4 },
  ...{ waitedMs: 1, prefillMs: 2, decodeMs: 3 },
};

async function* chunksOf(...chunks: Partial<Chunk>[]): AsyncGenerator<Chunk, void, void> {
  for (const chunk of chunks) yield { text: "", ids: [], ...chunk };
}
const piece = (index: number, text: string) => ({ index, id: `id${index}`, name: "get", arguments: text });

test("text, ids and usage; nothing that the answer does not have", async () => {
  const answer = await wholeAnswer(
    chunksOf({ text: "a", ids: [1] }, { text: "b", ids: [2, 3] }, { finish: FINISH }),
    undefined,
  );
  const { reason, ...usage } = FINISH;
  expect(answer).toEqual({ text: "ab", ids: [1, 2, 3], reason, usage });
});

test("thoughts, log-probabilities, warnings and calls; a call that was cut off is none", async () => {
  const logProb = { id: 1, text: "a", bytes: [97], logProb: -1, top: [] };
  const calls = [
    { toolCalls: [piece(0, ""), piece(0, '{"a":')] },
    { toolCalls: [piece(0, "1}"), piece(1, "")] },
    { toolCalls: [piece(1, "{")] },
  ];
  const begin = { reasoning: "Hm", logProbs: [logProb] };
  const ended = (finish: Partial<Finish>) =>
    wholeAnswer(chunksOf(begin, ...calls, { finish: { ...FINISH, ...finish } }), undefined);
  const first = { id: "id0", name: "get", arguments: '{"a":1}' };
  expect(await ended({ reason: "length", warnings: ["w"], reasoningTokens: 1 })).toMatchObject({
    ...{ reasoning: "Hm", logProbs: [logProb], warnings: ["w"], usage: { reasoningTokens: 1 } },
    toolCalls: [first],
  });
  const { toolCalls } = await ended({ reason: "tool-calls" });
  expect(toolCalls).toEqual([first, { id: "id1", name: "get", arguments: "{" }]);
});

test("an aborted answer rejects with the signal's reason; options go to chat", async () => {
  const { model, calls } = fakeModel({ before: () => new Promise(() => {}) });
  const controller = new AbortController();
  const answer = model.answer(hello, { topK: 3, signal: controller.signal });
  controller.abort(new Error("enough"));
  await expect(answer).rejects.toThrow("enough");
  expect(calls).toMatchObject([{ options: { topK: 3 }, end: "abort" }]);
});
