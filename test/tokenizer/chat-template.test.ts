import { describe, expect, it } from "vitest";
import { renderChat } from "../../tokenizer/chat-template.ts";
import { type ChatMessage, ChatTemplateError, Tokenizer } from "../../tokenizer/index.ts";
import { openTokenizer, readGolden, readTemplate, tinyFiles } from "./fixtures.ts";

const tokens = { bosToken: "<s>", eosToken: "</s>" };
const system: ChatMessage = { role: "system", content: "Be brief." };
const user = (content: string): ChatMessage => ({ role: "user", content });
const assistant = (content: string): ChatMessage => ({ role: "assistant", content });
const one = [user("Hi")];
const three = [user("Hi"), assistant("Hello!"), user(" Bye ")];

function render(template: string, messages: readonly ChatMessage[], extra = {}): string {
  return renderChat(readTemplate(template), messages, { ...tokens, ...extra });
}

describe("Mistral-Instruct", () => {
  it("v0.1, first", () => {
    expect(render("v0.1-first", one)).toBe("<s>[INST] Hi [/INST]");
    expect(render("v0.1-first", three)).toBe("<s>[INST] Hi [/INST]Hello!</s> [INST]  Bye  [/INST]");
    expect(render("v0.1-first", three.slice(0, 2))).toBe("<s>[INST] Hi [/INST]Hello!</s> ");
  });

  it("v0.2, first", () => {
    expect(render("v0.2-first", one)).toBe("<s>[INST] Hi [/INST]");
    expect(render("v0.2-first", three)).toBe("<s>[INST] Hi [/INST]Hello!</s>[INST]  Bye  [/INST]");
  });

  it("v0.1 and v0.2, later", () => {
    expect(render("v0.1-and-v0.2-later", one)).toBe("<s> [INST] Hi [/INST]");
    expect(render("v0.1-and-v0.2-later", three)).toBe(
      "<s> [INST] Hi [/INST] Hello!</s> [INST]  Bye  [/INST]",
    );
  });

  it("v0.3", () => {
    expect(render("v0.3", one)).toBe("<s>[INST] Hi[/INST]");
    expect(render("v0.3", three)).toBe("<s>[INST] Hi[/INST] Hello!</s>[INST]  Bye [/INST]");
    expect(render("v0.3", [user("a"), assistant(" b\n"), user("c")])).toBe(
      "<s>[INST] a[/INST] b</s>[INST] c[/INST]",
    );
  });

  it("puts a system message where the template accepts it", () => {
    const first = "<s>[INST] Be brief.\n\nHi [/INST]Hello!</s>";
    expect(render("v0.1-first", [system, ...three])).toBe(`${first} [INST]  Bye  [/INST]`);
    expect(render("v0.2-first", [system, ...three])).toBe(`${first}[INST]  Bye  [/INST]`);
    expect(render("v0.1-and-v0.2-later", [system, ...three])).toBe(
      "<s> [INST] Be brief.\n\nHi [/INST] Hello!</s> [INST]  Bye  [/INST]",
    );
    expect(render("v0.3", [system, ...three])).toBe(
      "<s>[INST] Hi[/INST] Hello!</s>[INST] Be brief.\n\n Bye [/INST]",
    );
  });

  it.each(["v0.1-first", "v0.2-first", "v0.1-and-v0.2-later", "v0.3"])(
    "%s refuses other orders of roles",
    (name) => {
      for (const messages of [
        [assistant("a")],
        [system, assistant("a")],
        [user("a"), system],
        [assistant("a"), system, user("b")],
      ]) {
        expect(() => render(name, messages)).toThrow(ChatTemplateError);
        expect(() => render(name, messages)).toThrow(/roles must alternate|roles are supported/);
      }
    },
  );

  it("renders the golden conversation", () => {
    const { messages, rendered } = readGolden<{ messages: ChatMessage[]; rendered: string }>(
      "chat_template.json",
    );
    expect(renderChat(String(tinyFiles().tokenizerConfig["chat_template"]), messages, tokens)).toBe(rendered);
  });

  it("renders two thousand turns", () => {
    const long = Array.from({ length: 2001 }, (_, i) => (i % 2 === 0 ? user("u") : assistant("a")));
    expect(render("v0.3", [system, ...long]).length).toBeGreaterThan(20_000);
  });
});

describe("templates", () => {
  it("strip blocks as transformers does", () => {
    const template = "{% if true %}\n  a\n  {% endif %}\n{# c #}\nb\n\n";
    expect(renderChat(template, one)).toBe("  a\nb\n");
  });

  it("are asked for the assistant's turn unless told not to", () => {
    const template = "{{ messages[0].content }}{% if add_generation_prompt %}!{% endif %}";
    expect(renderChat(template, one)).toBe("Hi!");
    expect(renderChat(template, one, { addGenerationPrompt: false })).toBe("Hi");
  });

  it("get tools as none, and the date", () => {
    expect(renderChat("{{ tools is none }} {{ strftime_now('%Y') }}", one)).toMatch(/^True 2\d{3}$/);
  });

  it("may be missing: then generate is named", () => {
    const { tokenizer } = tinyFiles();
    const base = openTokenizer({ tokenizer });
    expect(base.hasChatTemplate).toBe(false);
    expect(() => base.encodeChat(one)).toThrow(ChatTemplateError);
    expect(() => base.encodeChat(one)).toThrow("generate");
  });

  it("are read the same if their code is imported on demand", async () => {
    const opened = Tokenizer.from(tinyFiles());
    expect(() => opened.encodeChat(one)).toThrow("readTemplate");
    await opened.readTemplate();
    expect(opened.encodeChat(one)).toEqual(openTokenizer(tinyFiles()).encodeChat(one));
    const base = Tokenizer.from({ tokenizer: tinyFiles().tokenizer });
    await base.readTemplate();
    expect(base.hasChatTemplate).toBe(false);
  });

  it("pass on the message that they raise", () => {
    const template = "{{ raise_exception('no ' + messages[0].content) }}";
    expect(() => renderChat(template, one)).toThrow(ChatTemplateError);
    expect(() => renderChat(template, one)).toThrow('"no Hi"');
  });

  it("get valid messages only", () => {
    expect(() => renderChat("x", [])).toThrow(ChatTemplateError);
    expect(() => renderChat("x", [{ role: "</s>" as "user", content: "" }])).toThrow("messages[0].role");
    expect(() => renderChat("x", [{ role: "user", content: 5 as unknown as string }])).toThrow(
      "messages[0].content",
    );
  });
});
