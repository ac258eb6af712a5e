// What a model thinks between its tags is kept apart from its answer.
import { describe, expect, test } from "vitest";
import { generate } from "../../engine/answer/generate.ts";
import { Thinking, thinkingAfter, withThoughtsApart } from "../../engine/answer/thinking.ts";
import type { Chunk, GenerateOptions } from "../../engine/api.ts";
import type { Scheduler } from "../../engine/scheduler/scheduler.ts";
import type { Sequence } from "../../engine/scheduler/sequence.ts";
import { type ThinkingTags, thinkingTags } from "../../tokenizer/thinking-tags.ts";
import { openTokenizer, tinyFiles } from "../tokenizer/fixtures.ts";

const spelled: ThinkingTags = { open: "<think>", close: "</think>", ids: undefined };
const [OPEN, CLOSE] = [2048, 2049];

/** Adds the texts of all pieces. `<think>` and `</think>` are tokens if the tags have ids. */
function split(pieces: readonly string[], tags = spelled, state: "start" | "reasoning" | "text" = "start") {
  const thinking = new Thinking(tags, state);
  const all = { reasoning: "", text: "" };
  for (const [i, piece] of pieces.entries()) {
    const id = piece === tags.open ? OPEN : piece === tags.close ? CLOSE : 7;
    const parts = thinking.push(id, piece, i === pieces.length - 1);
    all.reasoning += parts.reasoning;
    all.text += parts.text;
  }
  return [all.reasoning, all.text, thinking.tokens];
}

describe("tags that the model spells", () => {
  const cases: [name: string, raw: string, reasoning: string, text: string][] = [
    ["a thought and an answer", "<think>\nHm.\n\nYes <b\n</think>\n\nHello!\n", "Hm.\n\nYes <b", "Hello!\n"],
    ["white space before the tag", "\n <think>a</think>b", "a", "b"],
    ["an empty thought", "<think>\n\n</think>\n\nHello", "", "Hello"],
    ["a thought that never ends", "<think>\nHm. </thin ", "Hm. </thin", ""],
    ["a thought without an answer", "<think>Hm.</think>\n", "Hm.", ""],
    ["a tag in a thought", "<think>a <think> b</think> c</think> d", "a <think> b", "c</think> d"],
    ["a piece of a tag at its end", "<think>a<</</think>b", "a<</", "b"],
    ["an answer about tags", "Use <think>a</think> for it.", "", "Use <think>a</think> for it."],
    ["a closing tag alone", "</think>a", "", "</think>a"],
    ["another tag", " <thin ice", "", " <thin ice"],
    ["white space only", " \n", "", " \n"],
  ];

  test.each(cases)("%s, in pieces of every length", (_, raw, reasoning, text) => {
    for (let length = 1; length <= raw.length; length++) {
      const pieces = raw.match(new RegExp(`.{1,${length}}`, "gs"))!;
      expect(split(pieces).slice(0, 2), `pieces of ${length}`).toEqual([reasoning, text]);
    }
  });

  test("the prompt may have opened the tag; a continued answer opens none", () => {
    expect(split(["\nHm", ".\n</th", "ink>\n", "\nHello"], spelled, "reasoning")).toEqual([
      "Hm.",
      "Hello",
      3,
    ]);
    expect(split(["<think>", "a</think>"], spelled, "text")).toEqual(["", "<think>a</think>", 0]);
  });

  test("nothing is held back but what may be a tag, or the end of a thought", () => {
    const thinking = new Thinking(spelled, "reasoning");
    const shown = ["\n", "Hm, ", "a < b", " <", "/"].map((piece) => thinking.push(1, piece, false).reasoning);
    expect(shown).toEqual(["", "Hm,", " a < b", "", ""]);
  });
});

test("tags that are tokens count anywhere, and only as tokens", () => {
  const tags: ThinkingTags = { ...spelled, ids: [OPEN, CLOSE] };
  const pieces = [
    "\n",
    "<think>",
    "\nHm",
    " </",
    "think> ",
    "</think>",
    "\n\n",
    "Hi ",
    "<think>",
    "x",
    "</think>",
    "!",
  ];
  expect(split(pieces, tags)).toEqual(["Hm </think>x", "Hi !", 8]);
  expect(split(["<", "think>", "a", "</think>"], tags)).toEqual(["", "<think>a</think>", 0]);
  expect(split(["a", "</think>", "b"], tags, "reasoning")).toEqual(["a", "b", 2]);
});

/** The embedded model's tokenizer with two more tokens. */
function withTags(open: string, close: string, special: boolean, template?: string) {
  const files = tinyFiles();
  const added = [open, close].map((content, i) => ({ id: OPEN + i, content, special, normalized: false }));
  const all = [...(files.tokenizer["added_tokens"] as object[]), ...added];
  return openTokenizer({
    ...{ ...files, tokenizer: { ...files.tokenizer, added_tokens: all } },
    ...(template !== undefined && { chatTemplate: template }),
  });
}

/** An answer of these tokens, by the rules of a tokenizer. */
async function answerOf(
  tokenizer: ReturnType<typeof withTags>,
  ids: readonly number[],
  options: GenerateOptions = {},
  prompt: readonly number[] = [1],
) {
  let next = 0;
  const picked = async () => {
    const id = ids[next++]!;
    return options.topLogProbs === undefined ? { id } : { id, logits: new Float32Array(2050) };
  };
  const scheduler: Pick<Scheduler, "join" | "leave"> = {
    join: async () => ({ next: picked }) as unknown as Sequence,
    leave: async () => {},
  };
  const generation = {
    ...{ scheduler, contextLength: 1000, ids: prompt, endIds: new Set([2]) },
    text: tokenizer.stream(),
    thinking: thinkingAfter(prompt, tokenizer, false),
  };
  const chunks: Chunk[] = [];
  for await (const chunk of generate(generation, { maxTokens: ids.length, ...options })) chunks.push(chunk);
  const join = (part: (chunk: Chunk) => string | undefined) =>
    chunks.map((each) => part(each) ?? "").join("");
  return {
    reasoning: join(({ reasoning }) => reasoning),
    text: join(({ text }) => text),
    listed: join(({ logProbs = [] }) => logProbs.map(({ text }) => text).join("")),
    ids: chunks.flatMap((chunk) => chunk.ids),
    finish: chunks.at(-1)!.finish!,
  };
}

describe.each([
  ["<think>", "</think>", false],
  ["[THINK]", "[/THINK]", true],
])("an answer with %s", (open, close, special) => {
  const tokenizer = withTags(open, close, special);
  const words = (text: string) => tokenizer.encode(text, { bos: false });
  const thought = [OPEN, ...words("The cat. Stop."), CLOSE];
  const said = words("Tom ran home. Stop it.");

  test("is split; both parts are counted; stop strings count in the answer only", async () => {
    const whole = await answerOf(tokenizer, [...thought, ...said, 2], { maxTokens: 99 });
    expect([whole.reasoning, whole.text]).toEqual(["The cat. Stop.", "Tom ran home. Stop it."]);
    expect(whole.ids).toEqual([...thought, ...said]);
    const tokens = { completionTokens: thought.length + said.length, reasoningTokens: thought.length };
    expect(whole.finish).toMatchObject({ reason: "stop", ...tokens });
    for (const topLogProbs of [{}, { topLogProbs: 2 }]) {
      const stopped = await answerOf(tokenizer, [...thought, ...said], { stop: "Stop", ...topLogProbs });
      expect([stopped.reasoning, stopped.text]).toEqual(["The cat. Stop.", "Tom ran home. "]);
      expect(stopped.finish.reason).toBe("stop");
      expect(stopped.listed).toBe(topLogProbs.topLogProbs ? stopped.text : "");
    }
  });

  test("that is cut off while it thinks has no text", async () => {
    const cut = await answerOf(tokenizer, thought.slice(0, 4));
    expect([cut.text, cut.finish.reason, cut.finish.reasoningTokens]).toEqual(["", "length", 4]);
    expect("The cat. Stop.".startsWith(cut.reasoning) && cut.reasoning !== "").toBe(true);
  });

  test("begins in a thought if the prompt ends with the tag", async () => {
    const prompt = [1, ...words("Hello"), OPEN, ...words("\n")];
    const opened = await answerOf(tokenizer, [...thought.slice(1), ...said], {}, prompt);
    expect([opened.reasoning, opened.text]).toEqual(["The cat. Stop.", "Tom ran home. Stop it."]);
    const closed = await answerOf(tokenizer, said, {}, [1, OPEN, CLOSE, ...words("\n")]);
    expect([closed.reasoning, closed.text]).toEqual(["", "Tom ran home. Stop it."]);
    expect(closed.finish).not.toHaveProperty("reasoningTokens");
  });
});

test("tags are found by the tokens, or by the chat template, and not otherwise", () => {
  const open = (chatTemplate: string) => thinkingTags(openTokenizer({ ...tinyFiles(), chatTemplate }));
  expect(thinkingTags(withTags("[THINK]", "[/THINK]", true))?.ids).toEqual([OPEN, CLOSE]);
  expect(open("{{ messages[0].content.split('</think>')[-1] }}")).toEqual(spelled);
  expect(open("{{ messages[0].content }}")).toBeUndefined();
});

test("thoughts of earlier turns are sent again only if the template asks for them", () => {
  const template =
    "{% for m in messages %}<{{ m.role }}>{% if m.reasoning_content is string and loop.last %}" +
    "<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}{% endfor %}";
  const tokenizer = withTags("<think>", "</think>", false, template);
  const said = { role: "assistant", content: "<think>\nHm, </s>.\n</think>\n\nHello" } as const;
  const messages = [
    { role: "user", content: "a <think>x</think>" },
    said,
    { role: "user", content: "b" },
    said,
  ] as const;
  const apart = withThoughtsApart(messages, tokenizer, false);
  expect(apart.map(({ content }) => content)).toEqual(["a <think>x</think>", "Hello", "b", "Hello"]);
  const ids = tokenizer.encodeChat(apart);
  expect(tokenizer.decode(ids, { skipSpecial: false })).toBe(
    "<user>a <think>x</think><assistant>Hello<user>b<assistant><think> Hm, </s>.</think> Hello",
  );
  // Only the template's tags are tokens.
  expect(ids.filter((id) => id === OPEN || id === CLOSE || id === 2)).toEqual([OPEN, CLOSE]);
  expect(withThoughtsApart(messages, tokenizer, true)[3]).toBe(said);
  const given = { role: "assistant", content: "<think>a</think>b", reasoning: "own" } as const;
  expect(withThoughtsApart([given], tokenizer, false)).toEqual([{ ...given, content: "b" }]);
});
