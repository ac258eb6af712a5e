// Titles, search, and conversations as files.
import { expect, test } from "vitest";
import { addPieces, indented, wholeCalls } from "../../demo/calls.ts";
import { type Conversation, conversationOf } from "../../demo/conversation.ts";
import type { ToolCall } from "../../demo/engine.ts";
import { messages } from "../../demo/messages.ts";
import { matching, title, titles } from "../../demo/titles.ts";
import { EXAMPLE, toolsOf, toolsProblem } from "../../demo/tools.ts";
import { fileName, fromJson, toJson, toMarkdown } from "../../demo/transfer.ts";

const talk = (id: string, question: string, more: Partial<Conversation> = {}): Conversation => ({
  ...{ id, updated: Date.UTC(2026, 10, 29, 12) },
  turns: [
    { role: "user", content: question },
    { role: "assistant", content: "An *answer*." },
  ],
  ...more,
});

test("a title is cut at a word, and a long word between characters", () => {
  expect(title(talk("a", "Short?\n one"))).toBe("Short? one");
  const long = "Please tell me a very long story about a ship, and about the sea that it sailed on";
  expect(title(talk("a", long))).toBe("Please tell me a very long story about a ship, and about…");
  expect(title(talk("a", "😀".repeat(60)))).toBe(`${"😀".repeat(29)}…`);
  expect(title(talk("a", "Hello", { title: "Mine" }))).toBe("Mine");
});

test("equal titles differ in when, equal times in a number", () => {
  const now = new Date(2026, 10, 29, 14, 30).getTime();
  const at = (...date: [number, number, number, number, number]) => new Date(...date).getTime();
  const all = [
    talk("a", "Hi", { updated: at(2026, 10, 29, 14, 3) }),
    talk("b", "Hi", { updated: at(2026, 10, 29, 14, 3) }),
    talk("c", "Hi", { updated: at(2026, 10, 2, 9, 30) }),
    talk("d", "Hi", { updated: at(2025, 10, 2, 9, 30) }),
    talk("e", "Other"),
  ];
  expect(["a", "b", "c", "d", "e"].map((id) => titles(all, now).get(id)?.when)).toEqual([
    "14:03 (2)",
    "14:03",
    "2 Nov, 09:30",
    "2 Nov 2025, 09:30",
    undefined,
  ]);
});

test("a search finds all words in title and text, in any case", () => {
  const all = [talk("a", "About Cats", { title: "Pets" }), talk("b", "About dogs"), talk("c", "cats")];
  const ids = (query: string) => matching(all, query).map(({ id }) => id);
  expect([ids(" cats "), ids("pets ABOUT"), ids("about answer"), ids("")]).toEqual([
    ["a", "c"],
    ["a"],
    ["a", "b"],
    ["a", "b", "c"],
  ]);
});

test("a file is read back as it was, and what is here is not doubled", () => {
  const facts = {
    model: "M",
    adapter: "pirate",
    reason: "stop",
    tokens: 3,
    firstTokenMs: 1,
    tokensPerSecond: 2,
    seed: 4,
  } as const;
  const thought = { text: "Hm.", seconds: 2 };
  const turns = [
    { role: "user", content: "Hi" },
    { role: "assistant", content: "Ho", thought, facts, leftOut: 2 },
  ] as const;
  const all = [talk("a", "Hello", { title: "Mine" }), talk("b", "Hi", { turns })];
  const file = toJson(all);
  expect(fromJson(file, []).added).toEqual(all);
  expect(fromJson(file, all)).toEqual({ added: [], known: 2, refused: 0 });
  // One that went on since is kept beside it, once.
  const longer = talk("a", "Hello", { turns: [...(all[0]?.turns ?? []), { role: "user", content: "More" }] });
  const { added } = fromJson(file, [longer]);
  expect(added).toHaveLength(2);
  expect(added.find(({ title }) => title)?.id).not.toBe("a");
  expect(fromJson(file, [longer, ...added]).added).toEqual([]);
});

const file = (...conversations: unknown[]) =>
  JSON.stringify({ format: "sirocco-conversations", version: 1, conversations });

test.each([
  ["no JSON", "{", /not JSON/],
  ["another JSON", '{"conversations":[]}', /no conversations of Sirocco/],
  ["null", "null", /no conversations of Sirocco/],
  ["a later version", file().replace(":1", ":2"), /version 2.*reads 1/],
])("a file is refused: %s", (_, text, message) => {
  expect(() => fromJson(text, [])).toThrow(message);
});

test("what is no conversation is counted and left out, and hostile fields are dropped", () => {
  const good = talk("a", "Hi");
  const bad = [
    null,
    7,
    { ...good, id: "models" },
    { ...good, id: "../x" },
    { ...good, turns: [] },
    { ...good, turns: [{ role: "system", content: "x" }] },
    { ...good, turns: [{ role: "user", content: { toString: 1 } }] },
    { ...good, updated: "now" },
  ];
  expect(fromJson(file(...bad, good), [])).toEqual({ added: [good], known: 0, refused: bad.length });
  const known = { model: "M", reason: "stop", tokens: 9, firstTokenMs: 1, seed: 1 };
  const answered = (facts: object) =>
    conversationOf({ ...good, turns: [{ role: "assistant", content: "Ho", facts }] });
  expect(answered({ ...known, adapter: { toString: 1 } })).toEqual(answered(known));
  const facts = { model: "M", reason: "toString", tokens: 9, firstTokenMs: 1, seed: 1 };
  const odd = {
    ...good,
    more: 1,
    turns: [{ role: "user", content: "Hi", facts, leftOut: -1, __proto__: null }],
  };
  expect(conversationOf(odd)).toEqual({ ...good, turns: [{ role: "user", content: "Hi" }] });
});

const CALL = { id: "c1", name: "get_weather", arguments: '{"city":"Bath"}' };
const called = (...results: object[]) => ({
  ...talk("a", "Hi"),
  turns: [
    { role: "user", content: "Warm?" },
    { role: "assistant", content: "", toolCalls: [CALL] },
    ...results,
    { role: "assistant", content: "12." },
  ],
});
const result = { role: "tool", content: "12", toolCallId: "c1" };

test("calls and results are kept, found and exported", () => {
  const all = [called(result)] as Conversation[];
  expect(fromJson(toJson(all), []).added).toEqual(all);
  // Other calls are another conversation.
  const other = { ...CALL, arguments: '{"city":"Rome"}' };
  const turns = all[0]?.turns.map((turn) => (turn.toolCalls ? { ...turn, toolCalls: [other] } : turn)) ?? [];
  expect(fromJson(toJson([talk("b", "", { turns })]), all).added).toHaveLength(1);
  expect(matching(all, "bath get_weather")).toHaveLength(1);
  expect(toMarkdown(all[0]!)).toContain(
    '## Answer\n\nCalls `get_weather`:\n\n```json\n{"city":"Bath"}\n```\n\n## Result\n\n```\n12\n```\n',
  );
});

test.each([
  ["no list", { toolCalls: { length: 1 } }],
  ["none", { toolCalls: [] }],
  ["a call twice", { toolCalls: [CALL, CALL] }],
  ["arguments that are no object", { toolCalls: [{ ...CALL, arguments: "[1]" }] }],
  ["arguments that are no text", { toolCalls: [{ ...CALL, arguments: {} }] }],
  ["a name with blanks", { toolCalls: [{ ...CALL, name: "a b" }] }],
  ["no id", { toolCalls: [{ ...CALL, id: "" }] }],
])("calls are refused: %s", (_, fields) => {
  const turns = [
    { role: "user", content: "Hi" },
    { role: "assistant", content: "", ...fields },
  ];
  expect(conversationOf({ ...talk("a", ""), turns })).toBeUndefined();
});

test("a result without its call is refused, and so is a second one", () => {
  expect(conversationOf(called())).toBeDefined();
  const refused = [
    { ...result, toolCallId: "c2" },
    { ...result, toolCallId: undefined },
  ];
  for (const each of refused) expect(conversationOf(called(each))).toBeUndefined();
  expect(conversationOf(called(result, result))).toBeUndefined();
  expect(conversationOf({ ...talk("a", ""), turns: [result] })).toBeUndefined();
  // Calls of a user are no calls.
  const turns = [{ role: "user", content: "Hi", toolCalls: [CALL], toolCallId: "c1" }];
  expect(conversationOf({ ...talk("a", ""), turns })?.turns).toEqual([{ role: "user", content: "Hi" }]);
});

test("a model sees the calls that have results", () => {
  const turnsOf = (each: unknown) => conversationOf(each)?.turns ?? [];
  expect(messages(turnsOf(called(result)), " Be brief. ")).toEqual([
    { role: "system", content: "Be brief." },
    ...called(result).turns,
  ]);
  expect(messages(turnsOf(called()), "").map(({ content }) => content)).toEqual(["Warm?", "12."]);
});

test("arguments are indented, unless that changes them", () => {
  expect(indented('{"a": [1, "x y"]}')).toBe('{\n  "a": [\n    1,\n    "x y"\n  ]\n}');
  for (const text of [
    '{"a":12345678901234567890}',
    '{"a":1.0}',
    '{"a":"\\u0061"}',
    '{"a":1,"a":2}',
    "no JSON",
  ])
    expect(indented(text)).toBe(text);
});

test("pieces of calls are joined, and what is not whole is left out", () => {
  const calls: ToolCall[] = [];
  addPieces(calls, [{ index: 0, ...CALL, arguments: '{"city":' }]);
  expect(wholeCalls(calls)).toEqual([]);
  addPieces(calls, [
    { index: 0, ...CALL, arguments: '"Bath"}' },
    { index: 7, ...CALL, id: "c2", arguments: "{" },
  ]);
  expect(wholeCalls(calls)).toEqual([CALL]);
});

test("tools are read with and without what OpenAI puts around them", () => {
  const tool = { name: "f", description: "Does.", parameters: { type: "object" } };
  expect(toolsOf(JSON.stringify([tool, { type: "function", function: tool }, { name: "g" }]))).toEqual([
    ...[tool, tool, { name: "g" }],
  ]);
  expect([toolsOf(" "), toolsOf(EXAMPLE)[0]?.name]).toEqual([[], "get_weather"]);
  expect(
    ["{", "{}", "[1]", "[null]", '[{"name":1}]'].map((text) => toolsProblem(text)?.slice(0, 40)),
  ).toEqual([
    expect.stringContaining("no JSON"),
    expect.stringContaining("no list"),
    ...Array(3).fill(expect.stringContaining("no tools")),
  ]);
});

test("Markdown names who speaks", () => {
  expect(toMarkdown(talk("a", "Hi"))).toBe("# Hi\n\n## You\n\nHi\n\n## Answer\n\nAn *answer*.\n");
  const facts = {
    model: "M",
    adapter: "pirate",
    reason: "stop",
    tokens: 1,
    firstTokenMs: 1,
    seed: 1,
  } as const;
  const turns = [{ role: "assistant", content: "Arr.", facts: { ...facts, tokensPerSecond: 1 } }] as const;
  expect(toMarkdown(talk("a", "", { title: "T", turns }))).toBe("# T\n\n## M with pirate\n\nArr.\n");
  expect([fileName("A Cat: Tom’s déjà vu!", "md"), fileName("…", "json")]).toEqual([
    "a-cat-tom-s-deja-vu.md",
    "conversation.json",
  ]);
});
