// A made-up tokenizer.json in the form of Mistral's (BPE with bytes): syllables, words of them with and
// without a space before, and the punctuation of JSON.

const LETTERS = "abcdefghijklmnopqrstuvwxyz";
const SPACE = "▁";
/** Pairs of tokens that become one, first the most urgent. */
const PUNCTUATION = [
  '" :',
  '" ,',
  '{ "',
  `${SPACE} "`,
  ', "',
  '": "',
  '", "',
  '" }',
  "} ,",
  "] ,",
  `${SPACE} {`,
];

/** @param {number} V size of the vocabulary */
export function tokenizerOf(V) {
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`);
  const characters = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i));
  const tokens = new Set(["<unk>", "<s>", "</s>", ...bytes, SPACE, ...characters]);
  /** @type {string[]} */
  const merges = [];
  const merge = (/** @type {string} */ a, /** @type {string} */ b) => {
    if (tokens.size >= V || tokens.has(a + b)) return;
    tokens.add(a + b);
    merges.push(`${a} ${b}`);
  };
  for (const pair of PUNCTUATION) {
    const at = pair.lastIndexOf(" ");
    merge(pair.slice(0, at), pair.slice(at + 1));
  }
  const next = generator();
  const any = (/** @type {readonly string[]} */ list) => list[next() % list.length] ?? "";
  const syllables = [...LETTERS].flatMap((a) => [...LETTERS].map((b) => a + b));
  for (const syllable of syllables) merge(syllable[0] ?? "", syllable[1] ?? "");
  for (const letter of LETTERS + LETTERS.toUpperCase()) merge(SPACE, letter);
  /** @type {string[]} */
  const words = [];
  while (words.length < V / 3) {
    const [a, b] = [any(syllables), any(syllables)];
    if (!tokens.has(a + b)) words.push(a + b);
    merge(a, b);
  }
  for (const word of words) merge(SPACE, word);
  while (tokens.size < V) merge(any(words), any(syllables));
  const special = ["<unk>", "<s>", "</s>"].map((content, id) => ({
    ...{ id, content, special: true },
    ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
  }));
  const start = { SpecialToken: { id: "<s>", type_id: 0 } };
  return {
    version: "1.0",
    added_tokens: special,
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: SPACE },
        { type: "Replace", pattern: { String: " " }, content: SPACE },
      ],
    },
    pre_tokenizer: null,
    post_processor: {
      type: "TemplateProcessing",
      single: [start, { Sequence: { id: "A", type_id: 0 } }],
      pair: [start, { Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
      special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
    },
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: SPACE }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 },
      ],
    },
    model: {
      type: "BPE",
      unk_token: "<unk>",
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries([...tokens].map((token, id) => [token, id])),
      merges,
    },
  };
}

/** xorshift32 (Marsaglia 2003). */
function generator() {
  let state = 20261129;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
