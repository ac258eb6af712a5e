// The `decoder` section of tokenizer.json, turned into what a stream needs to know about each token.
import { type Fields, isFields, refuse } from "./tokenizer-file.ts";

/** What one token adds: bytes, which join with their neighbours' bytes into UTF-8, or text. */
export type Piece = Uint8Array | string;

export interface DecoderRules {
  piece(token: string, added: boolean): Piece;
  /** Most times this character is dropped from the start and from the end of the whole text. */
  readonly strip: { readonly character: string; readonly start: number; readonly end: number };
  /** Only the first token is stripped, not the text as a whole. */
  readonly stripFirstTokenOnly: boolean;
}

const where = "tokenizer.json decoder";
const todo =
  "Only the decoders of SentencePiece-like (Mistral, Llama 2) and byte-level (Llama 3, SmolLM2) BPE are supported.";
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
  const piece = (token: string): Piece => {
    let text = token;
    for (const [from, to] of replacements) text = text.replaceAll(from, () => to);
    const hex = bytes ? /^<0x([0-9A-Fa-f]{2})>$/.exec(text)?.[1] : undefined;
    return hex === undefined ? text : Uint8Array.of(Number.parseInt(hex, 16));
  };
  return { piece, strip, stripFirstTokenOnly: false };
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

/** Every token is replaced by itself, the first one without the space that was put before the text. */
function metaspace(replacement: unknown = "▁", scheme: unknown = "always"): DecoderRules {
  if (typeof replacement !== "string" || replacement === "") {
    refuse(`${where} Metaspace.replacement`, "a character", replacement, todo);
  }
  return {
    piece: (token) => token.replaceAll(replacement, " "),
    strip: { character: " ", start: scheme === "never" ? 0 : 1, end: 0 },
    stripFirstTokenOnly: true,
  };
}

/** GPT-2's alphabet: each character of a token is one byte. Added tokens are plain text. */
function byteLevel(): DecoderRules {
  const byteOf = byteAlphabet();
  const piece = (token: string, added: boolean): Piece => {
    if (added) return token;
    const bytes = Array.from(token, (character) => byteOf.get(character));
    return bytes.some((byte) => byte === undefined)
      ? encoder.encode(token)
      : Uint8Array.from(bytes as number[]);
  };
  return { piece, strip: { character: "", start: 0, end: 0 }, stripFirstTokenOnly: false };
}

/** Printable Latin-1 stands for itself, the other bytes, in order, for U+0100 and on. */
function byteAlphabet(): Map<string, number> {
  const alphabet = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    alphabet.set(String.fromCharCode(printable ? byte : next++), byte);
  }
  return alphabet;
}
