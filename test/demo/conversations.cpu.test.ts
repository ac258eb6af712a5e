// Titles, search, and conversations as files.
import { expect, test } from "vitest";
import { type Conversation, conversationOf } from "../../demo/conversation.ts";
import { matching, title, titles } from "../../demo/titles.ts";
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
  const facts = { model: "M", reason: "toString", tokens: 9, firstTokenMs: 1, seed: 1 };
  const odd = {
    ...good,
    more: 1,
    turns: [{ role: "user", content: "Hi", facts, leftOut: -1, __proto__: null }],
  };
  expect(conversationOf(odd)).toEqual({ ...good, turns: [{ role: "user", content: "Hi" }] });
});

test("Markdown names who speaks", () => {
  expect(toMarkdown(talk("a", "Hi"))).toBe("# Hi\n\n## You\n\nHi\n\n## Answer\n\nAn *answer*.\n");
  expect([fileName("A Cat: Tom’s déjà vu!", "md"), fileName("…", "json")]).toEqual([
    "a-cat-tom-s-deja-vu.md",
    "conversation.json",
  ]);
});
