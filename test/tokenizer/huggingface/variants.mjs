// @ts-nocheck
// Small tokenizer.json files, each with one feature, and texts that test it.
const letters = [..."▁abcdefghijklmnopqrstuvwxyzABCD0123456789.,!?'-_<>[]|/ éßя字\n\t\u00a0"];
const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`);
const pairs = [
  "a b",
  "ab c",
  "▁ a",
  "▁a b",
  "▁ab c",
  "c a",
  "a a",
  "aa a",
  "▁ ▁",
  "d e",
  "x y",
  "▁ t",
  "h e",
  "▁t he",
  "1 2",
];

function bpe(extra = {}, specials = ["<unk>", "<s>", "</s>"], alphabet = letters, merges = pairs) {
  const all = [...specials, ...bytes, ...alphabet, ...merges.map((pair) => pair.replace(" ", ""))];
  const vocab = Object.fromEntries([...new Set(all)].map((token, id) => [token, id]));
  const fallback = { unk_token: "<unk>", fuse_unk: true, byte_fallback: true };
  return { type: "BPE", dropout: null, ...fallback, vocab, merges, ...extra };
}
const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };
const added = (id, content, flags = {}) => ({ id, content, ...plain, ...flags });
const controls = ["<unk>", "<s>", "</s>"].map((content, id) => added(id, content, { special: true }));
const replace = { type: "Replace", pattern: { String: " " }, content: "▁" };
const prepend = { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, replace] };
const decoder = {
  type: "Sequence",
  decoders: [
    { type: "Replace", pattern: { String: "▁" }, content: " " },
    { type: "ByteFallback" },
    { type: "Fuse" },
    { type: "Strip", content: " ", start: 1, stop: 0 },
  ],
};
const base = {
  version: "1.0",
  truncation: null,
  padding: null,
  added_tokens: controls,
  normalizer: prepend,
  pre_tokenizer: null,
  post_processor: null,
  decoder,
  model: bpe(),
};
/** Ids as the library assigns them: the token's id in the vocabulary, or the next free one. */
const tokens = (list, { vocab } = base.model) => {
  let next = Object.keys(vocab).length;
  return [...controls, ...list.map(([content, flags]) => added(vocab[content] ?? next++, content, flags))];
};
const withTokens = (list, rest = {}) => ({ ...base, added_tokens: tokens(list), ...rest });
const metaspace = (prepend_scheme, split) => ({
  ...base,
  normalizer: null,
  pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme, split },
  decoder: { type: "Metaspace", replacement: "▁", prepend_scheme, split },
});
const single = (before, after) => ({
  type: "TemplateProcessing",
  single: [
    ...before.map((id) => ({ SpecialToken: { id, type_id: 0 } })),
    { Sequence: { id: "A", type_id: 0 } },
    ...after.map((id) => ({ SpecialToken: { id, type_id: 1 } })),
  ],
  pair: [{ Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
  special_tokens: Object.fromEntries(
    ["<s>", "</s>"].map((id, i) => [id, { id, ids: [i + 1], tokens: [id] }]),
  ),
});
const llama3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const tekken =
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
let next = 256;
const alphabet = Array.from({ length: 256 }, (_, b) =>
  String.fromCharCode((b > 32 && b < 127) || (b > 160 && b !== 173) ? b : next++),
);
const byteLevel = (pre, model = {}) => ({
  ...base,
  normalizer: null,
  pre_tokenizer: pre,
  decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: bpe(
    { unk_token: null, byte_fallback: false, fuse_unk: false, ...model },
    ["<unk>", "<s>", "</s>"],
    alphabet,
    ["a b", "ab c", "Ġ a", "Ġa b", "1 2", "12 3", "' s", "Ġ Ġ", "Ċ Ċ", "A B"],
  ),
});
const level = (add_prefix_space, use_regex) => ({
  type: "ByteLevel",
  add_prefix_space,
  trim_offsets: true,
  use_regex,
});
const splitBy = (pattern, behavior = "Isolated", invert = false) => ({
  type: "Split",
  pattern,
  behavior,
  invert,
});
const sequence = (...pretokenizers) => ({ type: "Sequence", pretokenizers });
const flags = ["single_word", "lstrip", "rstrip", "normalized", "special"];
const pre = (pre_tokenizer) => ({ ...base, normalizer: null, pre_tokenizer });

/** Variants by name. */
export const variants = {
  mistral: base,
  "unknown tokens one by one": { ...base, model: bpe({ fuse_unk: false, byte_fallback: false }) },
  "unknown tokens fused": { ...base, model: bpe({ byte_fallback: false }) },
  "no unknown token": { ...base, model: bpe({ byte_fallback: false, unk_token: null }) },
  "metaspace always": metaspace("always", true),
  "metaspace always, whole": metaspace("always", false),
  "metaspace first": metaspace("first", true),
  "metaspace first, whole": metaspace("first", false),
  "metaspace never": metaspace("never", true),
  "metaspace after digits": pre(
    sequence({ type: "Digits", individual_digits: true }, metaspace("first", true).pre_tokenizer),
  ),
  "llama 3": byteLevel(sequence(splitBy({ Regex: llama3 }), level(false, false))),
  "llama 3, ignore_merges": byteLevel(sequence(splitBy({ Regex: llama3 }), level(false, false)), {
    ignore_merges: true,
    merges: ["a b"],
  }),
  tekken: byteLevel(sequence(splitBy({ Regex: tekken }), level(false, false))),
  "gpt-2": byteLevel(level(false, true)),
  "gpt-2 with a space before": byteLevel(level(true, true)),
  digits: byteLevel(sequence({ type: "Digits", individual_digits: false }, level(false, true))),
  ...Object.fromEntries(
    ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"].flatMap((behavior) => [
      [`split ${behavior}`, pre(splitBy({ String: "a" }, behavior))],
      [`split ${behavior}, inverted`, pre(splitBy({ Regex: "[ab]+" }, behavior, true))],
    ]),
  ),
  "blanks at the end": pre(splitBy({ Regex: "\\s+$" })),
  punctuation: pre({ type: "Punctuation", behavior: "Isolated" }),
  whitespace: pre({ type: "Whitespace" }),
  "whitespace only": pre({ type: "WhitespaceSplit" }),
  ...Object.fromEntries(
    ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"].map((type) => [
      type,
      withTokens(
        [
          ["AB", { normalized: true }],
          ["é", { normalized: true }],
          ["CD", {}],
        ],
        { normalizer: { type } },
      ),
    ]),
  ),
  strip: { ...base, normalizer: { type: "Strip", strip_left: true, strip_right: true } },
  "a regular expression replaced": {
    ...base,
    normalizer: { type: "Replace", pattern: { Regex: " {2,}" }, content: "▁$&" },
  },
  ...Object.fromEntries(
    Array.from({ length: 32 }, (_, bits) => {
      const on = Object.fromEntries(flags.map((flag, i) => [flag, ((bits >> i) & 1) === 1]));
      const name = flags.filter((flag) => on[flag]).join(", ");
      return [
        `token: ${name || "no flag"}`,
        withTokens([
          ["abz", on],
          ["<x>", on],
          ["é字", on],
        ]),
      ];
    }),
  ),
  "tokens within each other": withTokens([
    ["<a", {}],
    ["<a>", {}],
    ["a>b", {}],
    ["ab", { single_word: true }],
    ["abab", { single_word: true }],
    [" ab", {}],
  ]),
  "raw and normalized": withTokens([
    ["ab", { normalized: true }],
    ["bc", {}],
    ["a b", { normalized: true }],
    ["Ab", { normalized: true }],
  ]),
  "lstrip beside rstrip": withTokens([
    ["<x>", { rstrip: true }],
    ["<y>", { lstrip: true }],
    [" z", {}],
  ]),
  "added tokens of the vocabulary": {
    ...base,
    added_tokens: [
      ...controls,
      added(base.model.vocab["abc"], "abc", { single_word: true }),
      added(base.model.vocab["12"], "12", { special: true }),
    ],
  },
  "metaspace first, tokens": {
    ...withTokens([
      ["<x>", {}],
      ["é", {}],
    ]),
    ...(({ normalizer, pre_tokenizer, decoder }) => ({ normalizer, pre_tokenizer, decoder }))(
      metaspace("first", true),
    ),
  },
  "bytes and tokens": {
    ...byteLevel(level(false, true)),
    added_tokens: tokens(
      [
        ["é", {}],
        ["ĠX", {}],
        ["字", { special: true }],
      ],
      byteLevel(level(false, true)).model,
    ),
  },
  "template: one before": { ...base, post_processor: single(["<s>"], []) },
  "template: several around": { ...base, post_processor: single(["<s>", "</s>"], ["</s>"]) },
  "templates in a row": {
    ...base,
    post_processor: { type: "Sequence", processors: [level(true, true), single(["<s>"], ["</s>"])] },
  },
};

/** Pseudo-random texts, the same on each call. */
export function texts(name) {
  let state = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) >>> 0, 7);
  const random = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const parts = [
    "abc",
    "abz",
    "ab",
    "a",
    "b",
    " ",
    " ",
    "  ",
    "\n",
    "\t",
    "\u00a0",
    "\ufeff",
    "<x>",
    "<y>",
    "<a>",
    "<a",
    ">",
    "é字",
    "é",
    "e\u0301",
    "字",
    "_",
    "1",
    "12",
    "AB",
    "Ab",
    "CD",
    "'s",
    "'S",
    "the",
    "z",
    ".",
    "ﬁ",
    "½",
    "🐱",
    "ς",
    "Σ",
    "X",
    "\r\n",
    "-",
    "\u200d",
    "ß",
  ];
  return [
    "",
    ...Array.from({ length: 14 }, () =>
      Array.from({ length: 1 + random(9) }, () => parts[random(parts.length)]).join(""),
    ),
  ];
}
