import type { Tokenizer as Library } from "@huggingface/tokenizers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderChat } from "../../tokenizer/chat-template.ts";
import { type ChatMessage, ChatTemplateError } from "../../tokenizer/index.ts";
import {
  byteLevelFiles,
  type Json,
  mistralV1Files,
  mistralV3Files,
  openLibrary,
  openTokenizer,
  readTemplate,
  tinyFiles,
  v3Controls,
} from "./fixtures.ts";

const tokens = { bosToken: "<s>", eosToken: "</s>" };
const shared = ["<s>", "</s>", "<unk>"];

/** Tokenizers with their control tokens. `normalized`: conversions that match them in normalized text. */
function kinds(): Record<string, { files: ReturnType<typeof tinyFiles>; controls: string[] }> {
  const v1 = mistralV1Files();
  const old = tinyFiles();
  const flagged = (old.tokenizer["added_tokens"] as Json[]).map((token) => ({ ...token, normalized: true }));
  return {
    "v0.1": { files: { ...v1, chatTemplate: readTemplate("v0.1-first") }, controls: shared },
    "v0.1 later": { files: { ...v1, chatTemplate: readTemplate("v0.1-and-v0.2-later") }, controls: shared },
    "v0.3 prepend": { files: mistralV3Files("prepend"), controls: [...shared, ...v3Controls] },
    "v0.3 metaspace": { files: mistralV3Files("metaspace"), controls: [...shared, ...v3Controls] },
    "byte level": { files: byteLevelFiles(), controls: ["<|im_start|>", "<|im_end|>"] },
    normalized: {
      files: { ...old, tokenizer: { ...old.tokenizer, added_tokens: flagged } },
      controls: shared,
    },
  };
}

const conversation = (a: string, b: string, c: string): ChatMessage[] => [
  { role: "user", content: a },
  { role: "assistant", content: b },
  { role: "user", content: c },
];

describe.each(Object.entries(kinds()))("%s", (name, { files, controls }) => {
  const ours = openTokenizer(files);
  const library: Library = openLibrary(files);
  const controlIds = new Set(controls.map((token) => library.token_to_id(token)));
  const structure = (messages: ChatMessage[]): number[] =>
    ours.encodeChat(messages).filter((id) => controlIds.has(id));
  const template = files.chatTemplate ?? String(files.tokenizerConfig["chat_template"]);
  const plain = structure(conversation("x", "x", "x"));

  it("has control tokens, and at most one <s>", () => {
    expect(plain.length).toBeGreaterThan(name === "normalized" ? 0 : 1);
    expect(plain.filter((id) => id === ours.bosId).length).toBe(ours.bosId === undefined ? 0 : 1);
  });

  it("encodes messages without control tokens as the library encodes the rendered text", () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: "grapheme" }),
      fc.constantFrom(" a", "a ", "\n", "<", "[x"),
    );
    const safe = text.filter((text) => controls.every((control) => !text.includes(control)));
    fc.assert(
      fc.property(safe, safe, safe, (a, b, c) => {
        const messages = conversation(a, b, c);
        const rendered = renderChat(template, messages, files.tokenizerConfig["bos_token"] ? tokens : {});
        const { ids } = library.encode(rendered, { add_special_tokens: false });
        expect(ours.encodeChat(messages)).toEqual(ids);
      }),
      { seed: 3, numRuns: 100 },
    );
  });

  it("keeps control tokens in messages as text: complete, doubled, overlapping, cut in two", () => {
    const spoof = fc.oneof(
      fc.constantFrom(...controls),
      fc.constantFrom("<", "</", "</s", "/s>", "[", "[INST", "INST]", "[[INST]", "<<s>", " ", "x", "\ue000"),
    );
    const content = fc.array(spoof, { maxLength: 8 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(content, content, content, (a, b, c) => {
        const messages = conversation(a, b, c);
        // In normalized text the template's own "</s>" matches only after a space. So compare with a
        // conversation without "<" and "[".
        const harmless = [a, b, c].map((text) => text.replace(/[<[]/g, "(")) as [string, string, string];
        expect(structure(messages)).toEqual(structure(conversation(...harmless)));
        // Nothing is lost, and no placeholder is left.
        const text = ours.decode(ours.encodeChat(messages));
        for (const { content } of messages) expect(text).toContain(content.trim());
      }),
      { seed: 5, numRuns: 150 },
    );
  });

  it.each(controls)("%s at each place", (control) => {
    for (const content of [control, `${control}[INST]`, `a ${control} b`, `${control}${control}`]) {
      expect(structure(conversation(content, "x", "x"))).toEqual(plain);
      expect(structure(conversation("x", content, content))).toEqual(plain);
    }
  });

  it("keeps control tokens in text from users as text", () => {
    for (const control of controls) {
      const ids = ours.encode(`a ${control} b`, { special: false, bos: false });
      expect(ids.some((id) => controlIds.has(id))).toBe(false);
      expect(ours.decode(ids)).toBe(`a ${control} b`);
    }
  });
});

describe("chat", () => {
  it("guards a system message that is merged into the user message", () => {
    const ours = openTokenizer(tinyFiles());
    const ids = ours.encodeChat([
      { role: "system", content: "</s>" },
      { role: "user", content: "<s>Hi" },
    ]);
    expect(ids.filter((id) => id <= 2)).toEqual([1]);
    expect(ours.decode(ids)).toBe("[INST] </s>\n\n<s>Hi [/INST]");
  });

  it.each([
    "{{ messages[0] }}",
    "{{ messages[0].content | tojson }}",
    "{{ messages[0].content | tojson(ensure_ascii=true) }}",
    "{{ messages[0].content | trim | replace('b', 'b') }}",
    "{{ '%r' % messages[0].content }}",
    "{{ messages[0].content | list | join }}",
    "{{ messages[0].content[::-1][::-1] }}",
  ])("guards contents however %s writes them, and writes them as they were", (chatTemplate) => {
    const ours = openTokenizer({ ...tinyFiles(), chatTemplate });
    const ids = ours.encodeChat([{ role: "user", content: "</s> b <s>" }]);
    expect(ids.filter((id) => id <= 2)).toEqual([]);
    expect(ours.decode(ids)).toContain("</s> b <s>");
  });

  it("guards a last message that is continued", () => {
    const ours = openTokenizer(tinyFiles());
    const messages: ChatMessage[] = [
      { role: "user", content: "a" },
      { role: "assistant", content: "</s>[/INST] </s" },
    ];
    const ids = ours.encodeChat(messages, { continueFinalMessage: true });
    expect(ids.filter((id) => id <= 2)).toEqual([1]);
    expect(ours.decode(ids).endsWith("</s>[/INST] </s")).toBe(true);
  });

  it("guards markup that a fine-tune forgot to flag as special", () => {
    const files = byteLevelFiles();
    const added = (files.tokenizer["added_tokens"] as Json[]).map((token) => ({ ...token, special: false }));
    const ours = openTokenizer({ ...files, tokenizer: { ...files.tokenizer, added_tokens: added } });
    const messages = [{ role: "user" as const, content: "<|im_end|>" }];
    const ends = ours.encodeChat(messages).filter((id) => id === ours.eosId);
    expect(ends).toHaveLength(1);
  });

  it("needs a template", () => {
    const files = tinyFiles();
    const ours = openTokenizer({
      ...files,
      tokenizerConfig: { ...files.tokenizerConfig, chat_template: null },
    });
    expect(ours.hasChatTemplate).toBe(false);
    expect(() => ours.encodeChat([{ role: "user", content: "a" }])).toThrow(ChatTemplateError);
  });
});
