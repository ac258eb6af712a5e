// The `decoder` section of tokenizer.json, turned into what a stream needs to know about each token.
import { byteAlphabet } from "./byte-alphabet.ts";
import { type Fields, isFields, refuse } from "./tokenizer-file.ts";

/** What one token adds: bytes, which join with their neighbours' bytes into UTF-8, or text. */
export type Piece = Uint8Array | string;

export interface DecoderRules {
  piece(token: string): Piece;
  /** The same of the first token of a text, where that is another. */
  first?(token: string): Piece;
  /** Most times this character is dropped from the start and from the end of the whole text. */
  readonly strip: { readonly character: string; readonly start: number; readonly end: number };
}

const where = "tokenizer.json decoder";
const todo =
  "Only the decoders of SentencePiece-like (Mistral, Llama 2) and byte-level (Llama 3, SmolLM2) BPE are supported.";
const MOST_GROWTH = 64;
const MOST_STEPS = 64;
const encoder = new TextEncoder();
/** Steps of a "Sequence" in the only order in which they can be applied token by token. */
const order = ["Replace", "ByteFallback", "Fuse", "Strip"];

/** Checks the section and compiles it. */
export function readDecoder(section: unknown): DecoderRules {
  if (!isFields(section)) refuse(where, "an object", section, todo);
  const { type, decoders, replacement, prepend_scheme: scheme } = section;
  if (type === "ByteLevel") return byteLevel();
  if (type === "Metaspace") return metaspace(replacement, scheme);
  const steps = type === "Sequence" ? decoders : [section];
  if (!Array.isArray(steps)) refuse(`${where}.decoders`, "a list", steps, todo);
  if (steps.length > MOST_STEPS) refuse(`${where}.decoders`, `at most ${MOST_STEPS}`, steps.length, todo);
  return sequence(steps);
}

/** Replace*, ByteFallback?, Fuse?, Strip?: how SentencePiece vocabularies are decoded. */
function sequence(steps: readonly unknown[]): DecoderRules {
  const replacements: [string, string][] = [];
  let strip = { character: "", start: 0, end: 0 };
  let stage = 0;
  let bytes = false;
  let fused = false;
  for (const step of steps) {
    const { type } = isFields(step) ? step : {};
    const position = order.indexOf(String(type));
    if (!isFields(step) || position < stage) refuse(where, `${order.join(", ")} in this order`, type, todo);
    stage = position;
    if (type === "Replace") replacements.push(readReplace(step));
    else if (type === "ByteFallback") bytes = true;
    else if (type === "Fuse") fused = true;
    else {
      if (!fused) refuse(where, "Fuse before Strip", type, todo);
      strip = readStrip(step);
    }
  }
  const growth = replacements.reduce(
    (product, [from, to]) => product * Math.max(1, to.length / from.length),
    1,
  );
  if (growth > MOST_GROWTH) refuse(where, `tokens at most ${MOST_GROWTH} times as long`, growth, todo);
  const piece = (token: string): Piece => {
    let text = token;
    for (const [from, to] of replacements) text = text.replaceAll(from, () => to);
    const hex = bytes ? /^<0x([0-9A-Fa-f]{2})>$/.exec(text)?.[1] : undefined;
    return hex === undefined ? text : Uint8Array.of(Number.parseInt(hex, 16));
  };
  return { piece, strip };
}

function readReplace({ pattern, content: to }: Fields): [string, string] {
  const { String: from } = isFields(pattern) ? pattern : {};
  if (typeof from !== "string" || from === "") refuse(`${where} Replace.pattern`, "a String", pattern, todo);
  if (typeof to !== "string") refuse(`${where} Replace.content`, "a text", to, todo);
  return [from, to];
}

function readStrip({ content: character, start = 0, stop = 0 }: Fields): DecoderRules["strip"] {
  if (typeof character !== "string" || character.length !== 1) {
    refuse(`${where} Strip.content`, "one character", character, todo);
  }
  const count = (name: string, value: unknown): number => {
    const good = typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 1024;
    if (!good) refuse(`${where} Strip.${name}`, "a count up to 1024", value, todo);
    return value;
  };
  return { character, start: count("start", start), end: count("stop", stop) };
}

/** Marks are blanks; the first token goes without: one was put before the text. */
function metaspace(replacement: unknown = "▁", scheme: unknown = "always"): DecoderRules {
  if (typeof replacement !== "string" || replacement === "") {
    refuse(`${where} Metaspace.replacement`, "a character", replacement, todo);
  }
  return {
    piece: (token) => token.replaceAll(replacement, " "),
    ...(scheme !== "never" && { first: (token) => token.replaceAll(replacement, "") }),
    strip: { character: "", start: 0, end: 0 },
  };
}

/** GPT-2's alphabet: each character of a token is one byte. A token with any other is its own text. */
function byteLevel(): DecoderRules {
  const byteOf = new Map(byteAlphabet.map((character, byte) => [character, byte]));
  const piece = (token: string): Piece => {
    const bytes = Array.from(token, (character) => byteOf.get(character));
    return bytes.some((byte) => byte === undefined)
      ? encoder.encode(token)
      : Uint8Array.from(bytes as number[]);
  };
  return { piece, strip: { character: "", start: 0, end: 0 } };
}
