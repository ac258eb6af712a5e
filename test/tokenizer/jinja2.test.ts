import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ChatMessage } from "../../tokenizer/index.ts";
import { TemplateRaised } from "../../tokenizer/template/globals.ts";
import { compile, run } from "../../tokenizer/template/interpreter.ts";
import { BudgetExceeded, TemplateFailure, Unsupported } from "../../tokenizer/template/meter.ts";
import { byteLevelFiles, openTokenizer, readTemplate } from "./fixtures.ts";

interface Case {
  readonly name: string;
  readonly template: string;
  readonly conversations?: readonly string[];
  readonly variables?: Record<string, unknown>;
}

type Result = string | { readonly error: string };

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`jinja2/${name}.json`, import.meta.url), "utf8"));
interface Recorded {
  readonly cases: readonly Case[];
  readonly conversations: Readonly<Record<string, unknown>>;
  readonly variables: Readonly<Record<string, unknown>>;
}

function render(
  { conversations, variables }: Recorded,
  { template, variables: own }: Case,
  conversation: string,
): string | Error {
  const source = template.startsWith("file:") ? readTemplate(template.slice(5)) : template;
  try {
    const all = { ...variables, ...own, messages: conversations[conversation] };
    return run(compile(source), all, { budget: 1e6, verbatim: "" });
  } catch (error) {
    return error as Error;
  }
}

describe.each([
  ["cases", "results", 400],
  ["families", "families-results", 20],
])("templates render as Python's jinja2 3.1 rendered them, byte for byte: %s", (name, out, least) => {
  const recorded = read<Recorded>(name);
  const { cases } = recorded;
  const results = read<{ name: string; conversation: string; result: Result }[]>(out);
  it("has as many results as cases and their conversations", () => {
    const names = new Set(cases.map(({ name }) => name));
    expect(names.size).toBe(cases.length);
    expect(results.length).toBe(cases.reduce((sum, { conversations: c }) => sum + (c?.length ?? 1), 0));
    expect(cases.length).toBeGreaterThan(least);
  });

  const byName = new Map(cases.map((one) => [one.name, one]));
  it.each(results)("$name, $conversation", ({ name, conversation, result }) => {
    const ours = render(recorded, byName.get(name) as Case, conversation);
    if (typeof result === "string") expect(ours).toBe(result);
    else {
      const kinds = [TemplateFailure, TemplateRaised, BudgetExceeded, Unsupported];
      expect(kinds.some((kind) => ours instanceof kind)).toBe(true);
    }
  });
});

describe("a conversation by the templates of families", () => {
  const controls =
    "<unk> <s> </s> [INST] [/INST] [SYSTEM_PROMPT] [/SYSTEM_PROMPT] [THINK] [/THINK] <|im_start|> <|im_end|> " +
    "<|start_header_id|> <|end_header_id|> <|eot_id|> <think> </think>";
  const { tokenizer } = byteLevelFiles();
  const from = Object.keys((tokenizer["model"] as { vocab: object }).vocab).length;
  const added_tokens = controls
    .split(" ")
    .map((content, i) => ({ id: from + i, content, special: true, normalized: false }));
  const { conversations } = read<{ conversations: Record<string, ChatMessage[]> }>("families");
  const results = read<{ name: string; conversation: string; result: string }[]>("families-results").filter(
    ({ name, conversation }) => !name.includes(" ") && /^(turns|system)$/.test(conversation),
  );

  it.each(results)("$name, $conversation: its ids are those of the text, with one beginning", (each) => {
    const { name, conversation, result } = each;
    const files = { tokenizer: { ...tokenizer, added_tokens }, chatTemplate: readTemplate(name) };
    const tokens = { bos_token: "<s>", eos_token: "</s>", add_bos_token: true };
    const ours = openTokenizer({ ...files, tokenizerConfig: tokens });
    const ids = ours.encodeChat(conversations[conversation]!);
    expect(ours.decode(ids, { skipSpecial: false })).toBe(result);
    const begins = result.startsWith("<s>") ? [0] : [];
    expect([...ids.keys()].filter((i) => ids[i] === ours.bosId)).toEqual(begins);
    // The same spelling in a message is text.
    const said = [{ role: "user", content: `a${controls.replaceAll(" ", "")}b` }] as const;
    const count = (messages: readonly ChatMessage[]) =>
      ours.encodeChat(messages).filter((id) => id >= from).length;
    expect(count(said)).toBe(count([{ role: "user", content: "ab" }]));
  });
});

describe("unsupported features are refused by name when the template is parsed", () => {
  it.each([
    ["{{ messages | frobnicate }}", 'the filter "frobnicate"'],
    ["{{ 'a' | urlize }}", 'the filter "urlize"'],
    ["{{ 'a' | e }}", 'the filter "e"'],
    ["{% if false %}{{ 'a' | escape }}{% endif %}", 'the filter "escape"'],
    ["{{ messages | map('frobnicate') | list }}", 'the filter "frobnicate"'],
    ["{{ messages | select('frobnicate') | list }}", 'the test "frobnicate"'],
    ["{{ messages | selectattr('role', 'frobnicate') | list }}", 'the test "frobnicate"'],
    ["{{ 1 is frobnicate }}", 'the test "frobnicate"'],
    ["{{ lipsum() }}", 'the function "lipsum"'],
    ["{{ self }}", 'the function "self"'],
    ["{{ 'a'.casefold() }}", 'the method "casefold"'],
    ["{{ 'a'.encode() }}", 'the method "encode"'],
    ["{% include 'x' %}", 'the tag "include"'],
    ["{% extends 'x' %}", 'the tag "extends"'],
    ["{% import 'x' as y %}", 'the tag "import"'],
    ["{% from 'x' import y %}", 'the tag "from"'],
    ["{% block x %}{% endblock %}", 'the tag "block"'],
    ["{% autoescape true %}{% endautoescape %}", 'the tag "autoescape"'],
    ["{{ d['a', 'b'] }}", "several keys"],
    ["{{ '\\N{DASH}' }}", "\\N"],
    ["{{ 9007199254740993 }}", "2^53"],
  ])("%s", (template, what) => {
    expect(() => compile(template)).toThrow(Unsupported);
    expect(() => compile(template)).toThrow(what);
  });

  it.each([
    ["{{ messages | map('upper') }}", "the text of a generator"],
    ["{{ 'a' ~ joiner }}", "the text of a function"],
    ["{{ 2 ** 60 }}", "2^53"],
    ["{{ '%d' % 1e30 }}", "2^53"],
    ["{{ 2 ** 2.5 }}", "a power that is rounded"],
    ["{{ 1.1 ** 10 }}", "a power that is rounded"],
    ["{{ [].append(1) }}", 'the method "append"'],
    ["{{ ('a' | safe) + 'b' }}", "a safe text"],
    ["{{ {(1, 2): 3} }}", "a tuple as the key"],
    ["{{ '%e' % 1.5 }}", '"%e"'],
    ["{{ strftime_now('%c') }}", '"%c"'],
  ])("%s when it runs", (template, what) => {
    const program = compile(template);
    const action = () => run(program, { messages: ["a"] }, { budget: 1e5, verbatim: "" });
    expect(action).toThrow(Unsupported);
    expect(action).toThrow(what);
  });
});
