import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { TemplateRaised } from "../../tokenizer/template/globals.ts";
import { compile, run } from "../../tokenizer/template/interpreter.ts";
import { BudgetExceeded, TemplateFailure, Unsupported } from "../../tokenizer/template/meter.ts";
import { readTemplate } from "./fixtures.ts";

interface Case {
  readonly name: string;
  readonly template: string;
  readonly conversations?: readonly string[];
  readonly variables?: Record<string, unknown>;
}

type Result = string | { readonly error: string };

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`jinja2/${name}.json`, import.meta.url), "utf8"));
const { cases, conversations, variables } = read<{
  cases: Case[];
  conversations: Record<string, unknown>;
  variables: Record<string, unknown>;
}>("cases");
const results = read<{ name: string; conversation: string; result: Result }[]>("results");

function render({ template, variables: own }: Case, conversation: string): string | Error {
  const source = template.startsWith("file:") ? readTemplate(template.slice(5)) : template;
  try {
    const all = { ...variables, ...own, messages: conversations[conversation] };
    return run(compile(source), all, { budget: 1e6, verbatim: "" });
  } catch (error) {
    return error as Error;
  }
}

describe("templates render as Python's jinja2 3.1.2 rendered them, byte for byte", () => {
  it("has as many results as cases and their conversations", () => {
    const names = new Set(cases.map(({ name }) => name));
    expect(names.size).toBe(cases.length);
    expect(results.length).toBe(cases.reduce((sum, { conversations: c }) => sum + (c?.length ?? 1), 0));
    expect(cases.length).toBeGreaterThan(400);
  });

  const byName = new Map(cases.map((one) => [one.name, one]));
  it.each(results)("$name, $conversation", ({ name, conversation, result }) => {
    const ours = render(byName.get(name) as Case, conversation);
    if (typeof result === "string") expect(ours).toBe(result);
    else {
      const kinds = [TemplateFailure, TemplateRaised, BudgetExceeded, Unsupported];
      expect(kinds.some((kind) => ours instanceof kind)).toBe(true);
    }
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
