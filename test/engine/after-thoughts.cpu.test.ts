// An answer of a format from a model that thinks: the format begins after the thought that the prompt opened.
import { expect, test } from "vitest";
import { thinkingAfter } from "../../engine/answer/thinking.ts";
import { answerConstraint } from "../../engine/answer-constraint.ts";
import type { TokenConstraint } from "../../engine/scheduler/token-constraint.ts";
import type { Tokenizer } from "../../tokenizer/index.ts";
import { openTokenizer, readTemplate, tinyFiles } from "../tokenizer/fixtures.ts";

const V = 2056;
const END = 2;
const FIRST = 2048;
const CHOICES = [" yes", "no", "\nno", "<think>no</think>"];
const format = { type: "choice", choices: CHOICES } as const;
const QWEN = readTemplate("qwen3");
/** As of the checkpoints that always think. */
const OPENS = `${QWEN}{%- if add_generation_prompt %}{{- '<think>\\n' }}{%- endif %}`;
const messages = [{ role: "user", content: "Is it so?" }] as const;

/** The embedded model's tokenizer with more tokens. */
function open(chatTemplate: string, ...contents: string[]): Tokenizer {
  const files = tinyFiles();
  const added = contents.map((content, i) => ({ id: FIRST + i, content, special: false, normalized: false }));
  const all = [...(files.tokenizer["added_tokens"] as object[]), ...added];
  return openTokenizer({ ...files, tokenizer: { ...files.tokenizer, added_tokens: all }, chatTemplate });
}

const constraintFor = (tokenizer: Tokenizer, ids: readonly number[]): TokenConstraint => {
  const opened = thinkingAfter(ids, tokenizer, false, true) && ids;
  const endIds = new Set([END]);
  return answerConstraint(format, { tokenizer, V, endIds, continues: false, opened })!;
};
const allowed = (constraint: TokenConstraint): number[] => {
  const mask = constraint.mask();
  return Array.from({ length: V }, (_, id) => id).filter((id) => (mask[id >> 5]! >> (id & 31)) & 1);
};
const words = (tokenizer: Tokenizer, text: string) => tokenizer.encode(text, { bos: false });

const SPELLED = open(OPENS, ">no", ">\n\n");
const TOKENS = open(OPENS, "<think>", "</think>");

test.each([
  ["spells its tags", SPELLED, words(SPELLED, "</think>")],
  ["spells its tags, with blanks in the last token of it", SPELLED, words(SPELLED, "</think>\n\n")],
  ["has tokens for its tags", TOKENS, [FIRST + 1]],
])("a model that %s thinks freely, and answers one of the choices as it is", (_, tokenizer, close) => {
  const prompt = tokenizer.encodeChat(messages);
  const said = new Set<string>();
  for (let seed = 0; seed < 24; seed++) {
    const constraint = constraintFor(tokenizer, prompt);
    const thinking = thinkingAfter(prompt, tokenizer, false, true)!;
    const text = tokenizer.stream();
    let reasoning = "";
    let answer = "";
    const take = (id: number): void => {
      expect(allowed(constraint)).toContain(id);
      constraint.accept(id);
      const parts = thinking.push(id, text.push(id), constraint.complete === true);
      reasoning += parts.reasoning;
      answer += parts.text;
    };
    const thought = [...words(tokenizer, "It may be < or </thin or >"), ...words(tokenizer, "no.")];
    for (const id of [...thought, ...close]) take(id);
    for (let i = 0; !constraint.complete; i++) {
      const forced = constraint.forced?.() ?? [];
      const ids = allowed(constraint);
      if (forced.length > 0) expect(ids).toContain(forced[0]);
      expect(ids).not.toContain(END);
      take(ids[(seed * 7 + i * 3) % ids.length]!);
    }
    expect(reasoning.trim()).toBe(tokenizer.decode(thought).trim());
    expect(CHOICES).toContain(answer);
    said.add(answer);
  }
  expect(said.size).toBeGreaterThan(2);
});

test("in a thought nothing ends the answer, and no token is both the tag and the answer's begin", () => {
  const constraint = constraintFor(SPELLED, SPELLED.encodeChat(messages));
  const may = (): boolean => allowed(constraint).includes(FIRST);
  expect(allowed(constraint)).not.toContain(END);
  expect(constraint.forced?.()).toEqual([]);
  expect(may()).toBe(true);
  for (const id of words(SPELLED, "a</think")) constraint.accept(id);
  expect(may()).toBe(false);
  for (const id of words(SPELLED, "er")) constraint.accept(id);
  expect(may()).toBe(true);
});

test.each([
  ["Qwen3's template, which opens no thought", open(QWEN, "<think>", "</think>"), []],
  ["a prompt with an empty thought", TOKENS, [FIRST + 1]],
])("%s: the first token is of the format", (_, tokenizer, more) => {
  const prompt = [...tokenizer.encodeChat(messages), ...more];
  const constraint = constraintFor(tokenizer, prompt);
  const begins = CHOICES.flatMap((choice) => words(tokenizer, choice).slice(0, 2));
  const ids = allowed(constraint);
  expect(ids.length).toBeLessThan(20);
  expect(ids.some((id) => begins.includes(id))).toBe(true);
  expect(thinkingAfter(prompt, tokenizer, false, true)).toBeUndefined();
});
