// The `decoder` section of tokenizer.json: what each token decodes to.
import { byteAlphabet } from "./byte-alphabet.ts";
import { type Fields, isFields, refuse } from "./tokenizer-file.ts";

/** What one token decodes to: text, or bytes that form UTF-8 together with the bytes of its neighbours. */
export type DecodedPiece = Uint8Array | string;

export interface DecoderRules {
  piece(token: string): DecodedPiece;
  /** What the first token of a text decodes to, if that differs. */
  first?(token: string): DecodedPiece;
  /** Drop `character` from the start and the end of the whole text, at most this many times each. */
  readonly strip: { readonly character: string; readonly start: number; readonly end: number };
}

const where = "tokenizer.json decoder";
const ADVICE =
  "Only the decoders of SentencePiece-like (Mistral, Llama 2) and byte-level (Llama 3, SmolLM2) BPE are supported.";
/** A token may become this many times as long. */
const MAX_GROWTH = 64;
const MAX_STEPS = 64;
const encoder = new TextEncoder();
/** The steps of a "Sequence". Only in this order can they be applied token by token. */
const order = ["Replace", "ByteFallback", "Fuse", "Strip"];

/** Checks and compiles the section. @throws TokenizerError if it is not supported */
export function readDecoder(section: unknown): DecoderRules {
  if (!isFields(section)) refuse(where, "an object", section, ADVICE);
  const { type, decoders, replacement, prepend_scheme: scheme } = section;
  if (type === "ByteLevel") return byteLevel();
  if (type === "Metaspace") return metaspace(replacement, scheme);
  const steps = type === "Sequence" ? decoders : [section];
  if (!Array.isArray(steps)) refuse(`${where}.decoders`, "a list", steps, ADVICE);
  if (steps.length > MAX_STEPS) refuse(`${where}.decoders`, `at most ${MAX_STEPS}`, steps.length, ADVICE);
  return sequence(steps);
}

/** Replace* ByteFallback? Fuse? Strip?: the decoder of SentencePiece vocabularies. */
function sequence(steps: readonly unknown[]): DecoderRules {
  const replacements: [string, string][] = [];
  let strip = { character: "", start: 0, end: 0 };
  let stage = 0;
  let bytes = false;
  let fused = false;
  for (const step of steps) {
    const { type } = isFields(step) ? step : {};
    const position = order.indexOf(String(type));
    if (!isFields(step) || position < stage) refuse(where, `${order.join(", ")} in this order`, type, ADVICE);
    stage = position;
    if (type === "Replace") replacements.push(readReplace(step));
    else if (type === "ByteFallback") bytes = true;
    else if (type === "Fuse") fused = true;
    else {
      if (!fused) refuse(where, "Fuse before Strip", type, ADVICE);
      strip = readStrip(step);
    }
  }
  const growth = replacements.reduce(
    (product, [from, to]) => product * Math.max(1, to.length / from.length),
    1,
  );
  if (growth > MAX_GROWTH) refuse(where, `tokens at most ${MAX_GROWTH} times as long`, growth, ADVICE);
  const piece = (token: string): DecodedPiece => {
    let text = token;
    for (const [from, to] of replacements) text = text.replaceAll(from, () => to);
    const hex = bytes ? /^<0x([0-9A-Fa-f]{2})>$/.exec(text)?.[1] : undefined;
    return hex === undefined ? text : Uint8Array.of(Number.parseInt(hex, 16));
  };
  return { piece, strip };
}

function readReplace({ pattern, content: to }: Fields): [string, string] {
  const { String: from } = isFields(pattern) ? pattern : {};
  if (typeof from !== "string" || from === "")
    refuse(`${where} Replace.pattern`, "a String", pattern, ADVICE);
  if (typeof to !== "string") refuse(`${where} Replace.content`, "a text", to, ADVICE);
  return [from, to];
}

function readStrip({ content: character, start = 0, stop = 0 }: Fields): DecoderRules["strip"] {
  if (typeof character !== "string" || character.length !== 1) {
    refuse(`${where} Strip.content`, "one character", character, ADVICE);
  }
  const count = (name: string, value: unknown): number => {
    const good = typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 1024;
    if (!good) refuse(`${where} Strip.${name}`, "a count up to 1024", value, ADVICE);
    return value;
  };
  return { character, start: count("start", start), end: count("stop", stop) };
}

/** The mark decodes to a space, and to nothing in the first token: encoding added one before the text. */
function metaspace(replacement: unknown = "▁", scheme: unknown = "always"): DecoderRules {
  if (typeof replacement !== "string" || replacement === "") {
    refuse(`${where} Metaspace.replacement`, "a character", replacement, ADVICE);
  }
  return {
    piece: (token) => token.replaceAll(replacement, " "),
    ...(scheme !== "never" && { first: (token) => token.replaceAll(replacement, "") }),
    strip: { character: "", start: 0, end: 0 },
  };
}

/** GPT-2's alphabet: each character is one byte. A token with any other character decodes to itself. */
function byteLevel(): DecoderRules {
  const byteOf = new Map(byteAlphabet.map((character, byte) => [character, byte]));
  const piece = (token: string): DecodedPiece => {
    const bytes = Array.from(token, (character) => byteOf.get(character));
    return bytes.some((byte) => byte === undefined)
      ? encoder.encode(token)
      : Uint8Array.from(bytes as number[]);
  };
  return { piece, strip: { character: "", start: 0, end: 0 } };
}
