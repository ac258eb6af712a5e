import { describe, expect, it } from "vitest";
import { renderChat } from "../../tokenizer/chat-template.ts";
import { type ChatMessage, ChatTemplateError } from "../../tokenizer/index.ts";
import { readTemplate } from "./fixtures.ts";

const system = (content: string): ChatMessage => ({ role: "system", content });
const user = (content: string): ChatMessage => ({ role: "user", content });
const assistant = (content: string): ChatMessage => ({ role: "assistant", content });

/** The rendered text, and the warnings. */
function render(template: string, messages: readonly ChatMessage[]): [string, number] {
  const warnings: string[] = [];
  const onWarning = (warning: string) => warnings.push(warning);
  const source = template.includes("{") ? template : readTemplate(template);
  return [renderChat(source, messages, { bosToken: "<s>", eosToken: "</s>", onWarning }), warnings.length];
}

const takesAll = "{% for m in messages %}{{ m.role[0] ~ m.content }};{% endfor %}";

describe("orders of roles that a template refuses", () => {
  it.each<[string, ChatMessage[], string, number]>([
    ["two system messages", [system("A"), system("B"), user("C")], "A\n\nB\n\nC", 0],
    ["three system messages", [system("A"), system(""), system("B"), user("C")], "A\n\n\n\nB\n\nC", 0],
    ["two users in a row", [user("A"), user("B")], "A\n\nB", 0],
    ["system and two users", [system("S"), user("A"), user("B")], "S\n\nA\n\nB", 0],
    ["a greeting", [assistant("Hello"), user("A")], "A", 1],
    ["two greetings", [assistant("Hello"), assistant("there"), user("A")], "A", 1],
    ["system and a greeting", [system("S"), assistant("Hello"), user("A")], "S\n\nA", 1],
    [
      "two systems, a greeting, two users",
      [system("S"), system("T"), assistant("Hello"), user("A"), user("B")],
      "S\n\nT\n\nA\n\nB",
      1,
    ],
  ])("%s", (_, messages, content, warnings) => {
    for (const [name, text] of [
      ["v0.1-first", `<s>[INST] ${content} [/INST]`],
      ["v0.2-first", `<s>[INST] ${content} [/INST]`],
      ["v0.1-and-v0.2-later", `<s> [INST] ${content} [/INST]`],
      ["v0.3", `<s>[INST] ${content}[/INST]`],
    ] as const) {
      expect(render(name, messages)).toEqual([text, warnings]);
    }
  });

  it("merges adjacent answers", () => {
    const messages = [user("A"), assistant("B"), assistant("C"), user("D")];
    expect(render("v0.2-first", messages)).toEqual(["<s>[INST] A [/INST]B\n\nC</s>[INST] D [/INST]", 0]);
  });

  it("are left as they are if the template accepts them", () => {
    const messages = [system("A"), system("B"), assistant("C"), user("D"), user("E")];
    expect(render(takesAll, messages)).toEqual(["sA;sB;aC;uD;uE;", 0]);
  });

  it("keep a greeting if the template accepts it once the system message is merged into the user message", () => {
    const noSystem = `{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}${takesAll}`;
    expect(render(noSystem, [system("S"), assistant("Hello"), user("A")])).toEqual(["aHello;uS\n\nA;", 0]);
  });

  it("are not tried for any other error", () => {
    expect(() => render("{{ messages[0].role + 1 }}", [user("A"), user("B")])).toThrow(/the error/);
  });

  it("keep the first refusal when nothing helps", () => {
    const refuses = "{{ raise_exception('got ' ~ messages | length) }}";
    expect(() => render(refuses, [system("S"), user("A"), user("B")])).toThrow('"got 3"');
    expect(() => render("v0.2-first", [assistant("only me")])).toThrow(ChatTemplateError);
  });
});

describe("continuing the last message", () => {
  const go = (template: string, messages: readonly ChatMessage[]): string =>
    renderChat(template.includes("{") ? template : readTemplate(template), messages, {
      bosToken: "<s>",
      eosToken: "</s>",
      continueFinalMessage: true,
    });

  it.each([
    ["v0.1-first", "<s>[INST] A [/INST]The answer is"],
    ["v0.2-first", "<s>[INST] A [/INST]The answer is"],
    ["v0.1-and-v0.2-later", "<s> [INST] A [/INST] The answer is"],
    ["v0.3", "<s>[INST] A[/INST] The answer is"],
    [
      "{% for m in messages %}<{{ m.role }}>{{ m.content }}<end>{% endfor %}{% if add_generation_prompt %}!{% endif %}",
      "<user>A<end><assistant>The answer is",
    ],
  ])("%s", (template, text) => {
    expect(go(template, [user("A"), assistant("The answer is")])).toBe(text);
  });

  it("keeps or drops white space at the end as the template does", () => {
    const messages = [user("A"), assistant(" x \n")];
    expect(go("v0.2-first", messages)).toBe("<s>[INST] A [/INST] x \n");
    expect(go("v0.3", messages)).toBe("<s>[INST] A[/INST] x");
  });

  it("finds the end of a message that the template also contains, and of an empty one", () => {
    expect(go("v0.2-first", [user("s"), assistant("s")])).toBe("<s>[INST] s [/INST]s");
    expect(go("v0.2-first", [user("A"), assistant("")])).toBe("<s>[INST] A [/INST]");
  });

  it("works with changed orders, also if the last message is merged", () => {
    const messages = [system("S"), system("T"), user("A"), assistant("B"), assistant("C")];
    expect(go("v0.2-first", messages)).toBe("<s>[INST] S\n\nT\n\nA [/INST]B\n\nC");
  });

  it.each([
    ["{% for m in messages %}{{ m.content | upper }}{% endfor %}"],
    ["{% for m in messages %}{{ m.content }}{{ m.content }}{% endfor %}"],
    ["{% for m in messages %}{{ m.content | tojson }}{% endfor %}"],
    ["{{ messages[0].content }}"],
  ])("is refused by name for %s", (template) => {
    expect(() => go(template, [user("A"), assistant('b"')])).toThrow(/shows the last message unchanged/);
  });

  it("requires the assistant's message last", () => {
    expect(() => go("v0.3", [user("A")])).toThrow(/the assistant's message to continue/);
    expect(() => go("v0.2-first", [assistant("A")])).toThrow(ChatTemplateError);
  });
});
