import { describe, expect, it } from "vitest";
import { renderChat } from "../../tokenizer/chat-template.ts";
import { type ChatMessage, ChatTemplateError } from "../../tokenizer/index.ts";
import { readTemplate } from "./fixtures.ts";

const one: ChatMessage[] = [{ role: "user", content: "Hi" }];
const grown = (step: string, times = 26): string =>
  `{% set ns = namespace(s='a', l=[1], d={}) %}{% for i in range(${times}) %}${step}{% endfor %}`;
const long = grown("{% set ns.s = ns.s + ns.s %}", 23);
const many = grown("{% set ns.l = ns.l + ns.l %}", 18);
const nest = (open: string, close: string, n = 50_000): string =>
  `{{ ${open.repeat(n)}1${close.repeat(n)} }}`;
const blanks = " ".repeat(60_000);

/** Each would take unbounded memory or time. */
const hostile: Record<string, string> = {
  "nested loops": "{% for a in range(16000) %}".repeat(5) + "{% endfor %}".repeat(5),
  "nested loops over nothing but a list": `{% set r = range(16000) %}${"{% for a in r %}".repeat(4)}${"{% endfor %}".repeat(4)}`,
  "filtered loops": "{% for a in range(16000) if false %}{% endfor %}".repeat(2000),
  "a huge range": "{% for i in range(10000000000) %}{% endfor %}",
  "a range without end": "{{ range(0, 1, 0) }}",
  recursion: "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
  "recursion by caller": "{% macro f() %}{% call f() %}{{ caller() }}{% endcall %}{% endmacro %}{{ f() }}",
  "recursion of a loop": "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
  "branching recursion":
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
  "doubling text": grown("{% set ns.s = ns.s + ns.s %}", 60),
  "doubling text by ~": grown("{% set ns.s = ns.s ~ ns.s %}", 60),
  "doubling text by a block": grown("{% set t %}{{ ns.s }}{{ ns.s }}{% endset %}{% set ns.s = t %}", 60),
  "doubling lists": grown("{% set ns.l = ns.l + ns.l %}", 60),
  "lists in lists": `${grown("{% set ns.l = [ns.l, ns.l] %}", 60)}{{ ns.l }}`,
  "JSON of lists in lists": `${grown("{% set ns.l = [ns.l, ns.l] %}", 60)}{{ ns.l | tojson }}`,
  "comparing lists in lists": `${grown("{% set ns.l = [ns.l, ns.l] %}", 60)}{% set a = ns.l %}${grown("{% set ns.l = [ns.l, ns.l] %}", 60)}{{ a == ns.l }}`,
  "lists in lists, deep": `${grown("{% set ns.l = [ns.l] %}", 20_000)}{{ ns.l }}`,
  "the replace bomb":
    '{% set ns=namespace(s="a") %}{% for i in range(26) %}{% set ns.s=ns.s+ns.s %}{% endfor %}{{ ns.s|replace("a","bbbbbbbb")|length }}',
  "replace within the bound": `${long}{{ ns.s | replace('a', 'bbbbbbbb') | length }}`,
  "replace of nothing": `${long}{{ ns.s.replace('', 'bbbb') | length }}`,
  "split of blanks": `${long}{{ ns.s.replace('a', ' ').split(' ') | length }}`,
  "split, list, join": `${long}{{ ns.s | list | join('-') | length }}`,
  "dates without end": `${grown("{% set ns.s = ns.s ~ ns.s %}", 19)}{{ strftime_now(ns.s | replace('a', '%B')) }}`,
  "a copy by slices": `${long}{% for i in range(1000) %}{% set x = ns.s[::1] %}{% endfor %}`,
  "a reversed copy": `${long}{{ ns.s[::-1] | length }}`,
  "texts repeated": "{{ 'ab' * 1000000000 }}",
  "lists repeated": "{{ [1] * 1000000000 }}",
  "a wide center": "{{ 'a' | center(1000000000) }}",
  "a wide ljust": "{{ 'a'.ljust(1000000000) }}",
  "a wide zfill": "{{ '1'.zfill(1000000000) }}",
  "a wide format": "{{ '%1000000000s' % 'a' }}",
  "a wide brace format": "{{ '{:1000000000}'.format('a') }}",
  "a wide indent": "{{ 'a\\nb' | indent(1000000000) }}",
  "an indent of many lines": `${grown("{% set ns.s = ns.s ~ ns.s %}", 18)}{{ ns.s | replace('a', '\\n.') | indent(1000) }}`,
  "JSON with a wide indent": "{{ [1] | tojson(indent=1000000000) }}",
  "JSON with an indent, deep": `${grown("{% set ns.l = [ns.l, 1] %}", 300)}{{ ns.l | tojson(indent=100000) }}`,
  "a join with a long text": `${many}{{ ns.l | join('${"x".repeat(1000)}') | length }}`,
  "sorts in a loop": `${many}{% for i in range(1000) %}{% set x = ns.l | sort %}{% endfor %}`,
  "sorts by long texts": `${long}{% set l = [ns.s ~ 'b', ns.s ~ 'a'] %}{% for i in range(10000) %}{% set x = l | sort %}{% endfor %}`,
  "maps in maps": `${many}{% for i in range(100) %}{% set x = ns.l | map('string') | map('upper') | list %}{% endfor %}`,
  "searches in a loop": `${long}{% for i in range(100000) %}{{ 'b' in ns.s }}{% endfor %}`,
  "counts in a loop": `${long}{% for i in range(100000) %}{% set x = ns.s.count('ab') %}{% endfor %}`,
  "wordcount in a loop": `${long}{% for i in range(100000) %}{% set x = ns.s | wordcount %}{% endfor %}`,
  "upper in a loop": `${long}{% for i in range(100000) %}{% set x = ns.s | upper %}{% endfor %}`,
  "comparisons in a loop": `${long}{% set t = ns.s ~ '' %}{% for i in range(100000) %}{% set x = ns.s == t %}{% endfor %}`,
  "batches of nothing but filling": "{{ [1] | batch(1000000000, 0) | list }}",
  "slices without end": "{{ [1] | slice(1000000000) | list }}",
  "an oversized source": "a".repeat(1 << 18),
  "brackets without end": nest("(", ")"),
  "lists without end": nest("[", "]"),
  "minuses without end": nest("-", ""),
  "nots without end": nest("not ", "", 20_000),
  "ifs without end": `{{ ${"1 if 1 else ".repeat(9_000)}1 }}`,
  "sums without end": `{{ 1${" + 1".repeat(30_000)} }}`,
  "filters without end": `{{ 'a'${"|upper".repeat(18_000)} }}`,
  "accesses without end": `{{ a${".a".repeat(50_000)} }}`,
  "blocks without end": "{% if 1 %}".repeat(12_000),
  "no end of a loop": "{% for a in messages %}",
  "no end of a comment": "{# ",
  "comments without end": "{#".repeat(60_000),
  "raws without end": `{% raw %}${"{%".repeat(60_000)}`,
  "blanks in tags": `${"{%".repeat(10)}${blanks}`.repeat(2),
  "quotes without end": `{{ ${"'\\".repeat(30_000)} }}`,
  "a digit without end": `{{ ${"1_".repeat(60_000)} }}`,
  "an unknown filter": "{{ messages | frobnicate }}",
  "an unknown function": "{{ frobnicate() }}",
  "a sum of text and nothing": "{{ 'a' + nothing.at.all }}",
  "an unknown tag": "{% include 'x' %}",
};

describe("hostile templates soon end in a ChatTemplateError", () => {
  it.each(Object.entries(hostile))("%s", (_, template) => {
    const start = process.cpuUsage();
    expect(() => renderChat(template, one)).toThrow(ChatTemplateError);
    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(4);
  });

  it.each([
    `{{ 'a' }}${blanks}x`,
    `{{ 'a' ${blanks} }}x`,
    `a${`${blanks.slice(0, 100)}\n`.repeat(1000)}{% if true %}x{% endif %}`,
  ])("handles much white space in time", (template) => {
    const start = process.cpuUsage();
    expect(renderChat(template, one).endsWith("x")).toBe(true);
    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(4);
  });
});

describe("ordinary conversations stay within the bounds", () => {
  const chatml =
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content | trim + '<|im_end|>\\n' }}{% endfor %}";
  const turns = (count: number, length: number): ChatMessage[] =>
    Array.from({ length: count }, (_, i) => ({
      role: i % 2 === 0 ? ("user" as const) : ("assistant" as const),
      content: "word ".repeat(length / 5),
    }));

  it.each([
    ["one message of 4 MB", turns(1, 4e6)],
    ["41 messages of 100 kB", turns(41, 1e5)],
    ["401 messages of 10 kB", turns(401, 1e4)],
    ["3001 short messages", turns(3001, 20)],
  ])("%s", (_, messages) => {
    const sum = messages.reduce((total, { content }) => total + content.trim().length, 0);
    for (const template of [chatml, readTemplate("v0.3"), readTemplate("v0.1-and-v0.2-later")]) {
      const text = renderChat(template, messages, { bosToken: "<s>", eosToken: "</s>" });
      expect(text.length).toBeGreaterThan(sum);
    }
  });
});
