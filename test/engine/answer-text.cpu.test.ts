// The tokens listed with log-probabilities make up the answer: joined, their texts and bytes equal the
// answer's.
import { describe, expect, test } from "vitest";
import { generate } from "../../engine/answer/generate.ts";
import type { Chunk, GenerateOptions } from "../../engine/api.ts";
import type { Scheduler } from "../../engine/scheduler/scheduler.ts";
import type { Sequence } from "../../engine/scheduler/sequence.ts";
import { openTiny } from "../tokenizer/fixtures.ts";

const tokenizer = openTiny();
const END = tokenizer.eosId!;
const V = tokenizer.size;

/** An answer of these tokens, each the likeliest at its position, with the next id second. */
async function answerOf(
  answer: readonly number[],
  options: GenerateOptions,
  { continues = false, warnings }: { continues?: boolean; warnings?: readonly string[] } = {},
) {
  let next = 0;
  const picked = async () => {
    const id = answer[next++]!;
    const logits = new Float32Array(V);
    logits[(id + 1) % V] = 5;
    logits[id] = 10;
    return options.topLogProbs === undefined ? { id } : { id, logits };
  };
  const scheduler: Pick<Scheduler, "join" | "leave"> = {
    join: async () => ({ next: picked }) as unknown as Sequence,
    leave: async () => {},
  };
  const text = tokenizer.stream({ continues });
  const generation = { scheduler, contextLength: 1000, ids: [1], text, endIds: new Set([END]), warnings };
  const chunks: Chunk[] = [];
  for await (const chunk of generate(generation, { maxTokens: answer.length, ...options }))
    chunks.push(chunk);
  const tokens = chunks.flatMap(({ logProbs }) => logProbs ?? []);
  return { chunks, tokens, text: chunks.map((chunk) => chunk.text).join(""), finish: chunks.at(-1)?.finish };
}

const joined = (tokens: readonly { readonly text: string }[]) => tokens.map(({ text }) => text).join("");
const utf8 = (text: string) => [...new TextEncoder().encode(text)];
const words = (text: string) => tokenizer.encode(text, { bos: false });

test("the token that ends an answer is listed, but is not among its ids", async () => {
  const said = words("Once upon a time");
  const { chunks, tokens, text, finish } = await answerOf([...said, END], { topLogProbs: 1, maxTokens: 50 });
  expect(tokens.map(({ id }) => id)).toEqual([...said, END]);
  expect(chunks.flatMap(({ ids }) => ids)).toEqual(said);
  expect(tokens.at(-1)).toMatchObject({ id: END, text: "", bytes: [], top: [{ id: END, text: "" }] });
  expect(finish).toMatchObject({ reason: "stop", completionTokens: said.length });
  expect(joined(tokens)).toBe(text);
  // If it is sampled first it is the only entry; without log-probabilities nothing is listed.
  const only = await answerOf([END], { topLogProbs: 0 });
  expect(only.tokens.map(({ id }) => id)).toEqual([END]);
  expect(only.chunks).toHaveLength(1);
  expect((await answerOf([END], {})).chunks[0]).not.toHaveProperty("logProbs");
});

test("a space stripped from the text is stripped from the token and its alternatives", async () => {
  const said = words("Once upon a time");
  const { tokens, text } = await answerOf(said, { topLogProbs: 2 });
  expect(text).toBe("Once upon a time");
  expect(tokens[0]).toMatchObject({ text: "Once", bytes: utf8("Once") });
  expect(tokens[0]!.top[0]).toMatchObject({ text: "Once", bytes: utf8("Once") });
  expect(tokens[1]!.text).toBe(" upon");
  expect(joined(tokens)).toBe(text);
  // A continued text keeps its space.
  const continued = await answerOf(said, { topLogProbs: 0 }, { continues: true });
  expect(continued.text).toBe(" Once upon a time");
  expect(joined(continued.tokens)).toBe(continued.text);
});

test("a character of several tokens has its text at the last token and bytes at each", async () => {
  const said = words("Tea ☕ and 日本 for 🦉!");
  const { tokens, text } = await answerOf(said, { topLogProbs: 1 });
  expect(text).toBe("Tea ☕ and 日本 for 🦉!");
  expect(joined(tokens)).toBe(text);
  expect(tokens.flatMap(({ bytes }) => bytes)).toEqual(utf8(text));
  expect(tokens.filter((token) => token.text === "" && token.bytes.length === 1).length).toBeGreaterThan(2);
  // If the answer ends inside a character, the last token has the replacement text.
  const cut = await answerOf(said.slice(0, said.indexOf(words("☕").at(-1)!)), { topLogProbs: 1 });
  expect(cut.text.endsWith("\ufffd")).toBe(true);
  expect(joined(cut.tokens)).toBe(cut.text);
});

describe("stop strings", () => {
  test.each([" time", "n a t", "Once", "me", "upon a time there", "z"])("%j", async (stop) => {
    const said = words("Once upon a time there was");
    const whole = "Once upon a time there was";
    const { chunks, tokens, text } = await answerOf(said, { topLogProbs: 0, stop });
    expect(text).toBe(whole.includes(stop) ? whole.slice(0, whole.indexOf(stop)) : whole);
    expect(joined(tokens)).toBe(text);
    expect(tokens.flatMap(({ bytes }) => bytes)).toEqual(utf8(text));
    expect(tokens.map(({ id }) => id)).toEqual(said.slice(0, tokens.length));
    for (const { text: shown, ids, logProbs = [] } of chunks) {
      expect(joined(logProbs)).toBe(shown);
      expect(logProbs.map(({ id }) => id)).toEqual(ids);
    }
    // The same text as without log-probabilities.
    expect((await answerOf(said, { stop })).text).toBe(text);
  });
});

test("a special token in an answer that ignores ends has no text", async () => {
  const said = [...words("Once"), END, ...words("upon")];
  const { tokens, text } = await answerOf(said, { topLogProbs: 1, ignoreEos: true });
  expect(tokens).toHaveLength(said.length);
  expect(tokens.find(({ id }) => id === END)).toMatchObject({ text: "", bytes: [] });
  expect(joined(tokens)).toBe(text);
});

test("prompt warnings are part of the finish, only if there are any", async () => {
  const with1 = await answerOf([END], {}, { warnings: ["dropped a turn"] });
  expect(with1.finish?.warnings).toEqual(["dropped a turn"]);
  expect((await answerOf([END], {}, { warnings: [] })).finish).not.toHaveProperty("warnings");
});
