import { describe, expect, it } from "vitest";
import { ChatTemplateError, TokenizerError } from "../../tokenizer/index.ts";
import { type Json, openTokenizer, tinyFiles } from "./fixtures.ts";

const good = tinyFiles();
const model = good.tokenizer["model"] as Json;
const vocab = model["vocab"] as Json;
const withModel = (change: Json): Json => ({ ...good.tokenizer, model: { ...model, ...change } });
const withAdded = (token: unknown): Json => ({ ...good.tokenizer, added_tokens: [token] });
const withDecoder = (decoder: unknown): Json => ({ ...good.tokenizer, decoder });

const broken: Record<string, unknown> = {
  "no file": undefined,
  null: null,
  "a list": [],
  "a text": "{}",
  "an empty object": {},
  "a model that is a list": { ...good.tokenizer, model: [] },
  "a Unigram model": withModel({ type: "Unigram" }),
  "no vocabulary": withModel({ vocab: undefined }),
  "a vocabulary in a list": withModel({ vocab: ["a"] }),
  "an empty vocabulary": withModel({ vocab: {} }),
  "an id that is a text": withModel({ vocab: { ...vocab, new: "5" } }),
  "a negative id": withModel({ vocab: { ...vocab, new: -1 } }),
  "a fractional id": withModel({ vocab: { ...vocab, new: 2048.5 } }),
  "an id that is not finite": withModel({ vocab: { ...vocab, new: Number.POSITIVE_INFINITY } }),
  "an id past 2^53": withModel({ vocab: { ...vocab, new: 2 ** 60 } }),
  "an id of four billion": withModel({ vocab: { ...vocab, new: 4e9 } }),
  "one id twice": withModel({ vocab: { ...vocab, new: 5 } }),
  "no merges": withModel({ merges: undefined }),
  "a merge of one": withModel({ merges: ["ab"] }),
  "a merge that is a number": withModel({ merges: ["a b", 5] }),
  "a merge of three": withModel({ merges: [["a", "b", "c"]] }),
  "pairs mixed with texts": withModel({ merges: [["a", "b"], "a b"] }),
  "an unk_token that is a number": withModel({ unk_token: 0 }),
  "an end_of_word_suffix": withModel({ end_of_word_suffix: "</w>" }),
  "added tokens in an object": { ...good.tokenizer, added_tokens: {} },
  "an added token that is null": withAdded(null),
  "an added token without text": withAdded({ id: 1, content: "" }),
  "an added token without id": withAdded({ content: "<s>" }),
  "an added token far away": withAdded({ id: 2 ** 31, content: "<s>" }),
  "a flag that is a text": withAdded({ id: 1, content: "<s>", special: "yes" }),
  "an unknown normalizer": { ...good.tokenizer, normalizer: { type: "Frobnicate" } },
  "a normalizer that is a number": { ...good.tokenizer, normalizer: 5 },
  "an unknown pre-tokenizer": { ...good.tokenizer, pre_tokenizer: { type: "Frobnicate" } },
  "a regular expression that is none": {
    ...good.tokenizer,
    pre_tokenizer: { type: "Split", pattern: { Regex: "(" }, behavior: "Isolated", invert: false },
  },
  "no decoder": withDecoder(null),
  "an unknown decoder": withDecoder({ type: "WordPiece" }),
  "decoders that are none": withDecoder({ type: "Sequence", decoders: {} }),
  "decoders out of order": withDecoder({
    type: "Sequence",
    decoders: [{ type: "Fuse" }, { type: "Replace", pattern: { String: "a" }, content: "b" }],
  }),
  "a decoder's pattern": withDecoder({ type: "Replace", pattern: { Regex: "(a+)+$" }, content: "" }),
  "a strip of a million": withDecoder({
    type: "Sequence",
    decoders: [{ type: "Fuse" }, { type: "Strip", content: " ", start: 1e6, stop: 0 }],
  }),
};

describe("a broken tokenizer.json is a TokenizerError that names the field", () => {
  it.each(Object.entries(broken))("%s", (_, tokenizer) => {
    const open = () => openTokenizer({ ...good, tokenizer });
    expect(open).toThrow(TokenizerError);
    expect(open).toThrow(/^tokenizer\.json.*: expected .*, got .*\. \S/);
  });
});

describe("so are the files beside it", () => {
  const companions: Record<string, [Json, string]> = {
    "a config that is a list": [{ tokenizerConfig: [] }, "tokenizer_config.json"],
    "a bos_token that is a number": [
      { tokenizerConfig: { bos_token: 1 } },
      "tokenizer_config.json bos_token",
    ],
    "add_bos_token that is a text": [
      { tokenizerConfig: { add_bos_token: "no" } },
      "tokenizer_config.json add_bos",
    ],
    "a template that is a number": [
      { tokenizerConfig: { chat_template: 5 } },
      "tokenizer_config.json chat_template",
    ],
    "a named template without a text": [
      { tokenizerConfig: { chat_template: [{ name: "rag" }] } },
      "tokenizer_config.json chat_template[0]",
    ],
    "a map that is a text": [{ specialTokensMap: "x" }, "special_tokens_map.json"],
    "an eos_token that is a list": [
      { specialTokensMap: { eos_token: [] } },
      "special_tokens_map.json eos_token",
    ],
    "a jinja file that is an object": [{ chatTemplate: {} }, "chat_template.jinja"],
  };

  it.each(Object.entries(companions))("%s", (_, [files, where]) => {
    const base = { tokenizer: good.tokenizer };
    const open = () => openTokenizer({ ...base, ...files } as never);
    expect(open).toThrow(TokenizerError);
    expect(open).toThrow(where);
  });
});

describe("unusual files", () => {
  it("tokenizer.json alone is enough", () => {
    const alone = openTokenizer({ tokenizer: good.tokenizer });
    expect([alone.bosId, alone.eosId, alone.size]).toEqual([1, 2, 2048]);
    expect(alone.encode("a")[0]).toBe(1);
  });

  it("the config says whether a <s> is put first", () => {
    const without = openTokenizer({
      ...good,
      tokenizerConfig: { ...good.tokenizerConfig, add_bos_token: false },
    });
    expect(without.encode("")).toEqual([]);
    expect(without.encode("", { bos: true })).toEqual([1]);
  });

  it("chat_template.jinja overrides the config, and the template named default is used", () => {
    const chat_template = [
      { name: "tool_use", template: "no" },
      { name: "default", template: "b" },
    ];
    const named = { tokenizer: good.tokenizer, tokenizerConfig: { chat_template } };
    const messages = [{ role: "user" as const, content: "x" }];
    const both = openTokenizer({ ...named, chatTemplate: "a" });
    expect(both.decode(both.encodeChat(messages))).toBe("a");
    const one = openTokenizer(named);
    expect(one.decode(one.encodeChat(messages))).toBe("b");
  });

  it.each([
    [
      [
        { name: "rag", template: "a" },
        { name: "tool_use", template: "b" },
      ],
      /named "default".*"rag", "tool_use"/,
    ],
    [{ rag: "a" }, /named "default".*"rag"/],
    [[], /got one without/],
    ["", /got one without/],
    [" \n", /got one without/],
    [[{ name: "default", template: "" }], /got one without/],
    ["{{ messages | urlize }}", /the filter "urlize"/],
    ["{% for", /expected a template that can be parsed/],
  ])(
    "%j as chat_template: everything but chat works, and chat says why it does not",
    (chat_template, why) => {
      const odd = openTokenizer({ tokenizer: good.tokenizer, tokenizerConfig: { chat_template } });
      expect(odd.encode("a").length).toBeGreaterThan(1);
      expect(odd.hasChatTemplate).toBe(false);
      const chat = () => odd.encodeChat([{ role: "user", content: "x" }]);
      expect(chat).toThrow(ChatTemplateError);
      expect(chat).toThrow(why);
    },
  );

  it("an empty chat_template.jinja does not override tokenizer_config.json, also with an object there", () => {
    const odd = openTokenizer({
      tokenizer: good.tokenizer,
      tokenizerConfig: { chat_template: { default: "b" } },
      chatTemplate: "",
    });
    expect(odd.decode(odd.encodeChat([{ role: "user", content: "x" }]))).toBe("b");
  });

  it("a token named __proto__ is a token", () => {
    const text = JSON.stringify(withModel({ vocab: { ...vocab, PROTO: 2048 } })).replace(
      '"PROTO"',
      '"__proto__"',
    );
    const odd = openTokenizer({ ...good, tokenizer: JSON.parse(text) });
    expect(odd.tokenText(2048)).toBe("__proto__");
  });

  it("an id without a token is not decoded", () => {
    const odd = openTokenizer({ ...good, tokenizer: withModel({ vocab: { ...vocab, new: 2050 } }) });
    expect(odd.size).toBe(2051);
    expect(() => odd.decode([2049])).toThrow(RangeError);
  });
});
