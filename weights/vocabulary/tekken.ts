// tekken.json: the byte-level vocabulary of Mistral's models since Nemo. It ranks tokens, and has no merges.
import { byteAlphabet } from "../../tokenizer/huggingface/byte-alphabet.ts";
import { mismatch, show } from "../errors.ts";
import { isObject, type JsonObject, own } from "../json.ts";
import { byteLevelModel, tekken, tekkenPattern } from "./byte-level.ts";
import type { FoundVocabulary } from "./found-vocabulary.ts";
import { KIND, MAX_TOKEN_LENGTH, mergesOf } from "./tokens.ts";

const ADVICE = "The file is damaged: fetch it again.";
const UNSUPPORTED = "Sirocco does not read this tokenizer: choose a repository that has tokenizer.json.";
/** Far above any vocabulary. */
const MAX_IDS = 1 << 22;
/** Those of files that do not list them, which were written before version 7. */
const FIRST_SPECIALS: readonly string[] = [
  ...["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"],
  ...["[TOOL_RESULTS]", "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]"],
  ...["[PREFIX]", "[MIDDLE]", "[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]"],
];

/** @param file its name, for errors @throws CheckpointError naming the field */
export function readTekken(json: JsonObject, file: string): FoundVocabulary {
  const config = own(json, "config");
  if (!isObject(config)) throw mismatch(`${file}: config`, "an object", show(config), ADVICE);
  const number = (name: string, least: number, most: number): number => {
    const value = own(config, name);
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    const expected = `a whole number from ${least} to ${most}`;
    throw mismatch(`${file}: config.${name}`, expected, show(value), ADVICE);
  };
  const pattern = own(config, "pattern");
  if (pattern !== tekkenPattern)
    throw mismatch(`${file}: config.pattern`, "the one of Mistral's models", show(pattern), UNSUPPORTED);
  const size = number("default_vocab_size", 257, MAX_IDS);
  const specialCount = number("default_num_special_tokens", 1, size - 256);
  const specials = readSpecials(own(json, "special_tokens"), specialCount, `${file}: special_tokens`);
  const texts = [
    ...specials.map(({ text }) => text),
    ...readPieces(own(json, "vocab"), size - specialCount, `${file}: vocab`),
  ];
  refuseTwice(texts, specialCount, file);
  const kinds = texts.map((_, id) => specials[id]?.kind ?? KIND.normal);
  // A pair is merged if it makes a token; of several, the one whose token has the lowest rank.
  const merges = mergesOf([...texts.keys()].slice(specialCount), texts);
  const version = own(config, "version");
  const named = (text: string): string | undefined => (texts.includes(text) ? text : undefined);
  return {
    tokens: { texts, kinds },
    model: byteLevelModel({ texts, kinds }, merges, tekken),
    ...{ bos: named("<s>"), eos: named("</s>"), unknown: named("<unk>") },
    version: typeof version === "string" ? version : undefined,
  };
}

interface Special {
  readonly text: string;
  readonly kind: number;
}

/** The first `count` tokens. Ranks that are not listed have tokens that no text has. */
function readSpecials(list: unknown, count: number, where: string): Special[] {
  const given = list ?? FIRST_SPECIALS.map((token_str, rank) => ({ token_str, rank, is_control: true }));
  if (!Array.isArray(given) || given.length > count)
    throw mismatch(where, `a list of at most ${count}`, sizeOf(given), ADVICE);
  const specials = Array.from({ length: count }, (_, rank) => ({
    text: `<SPECIAL_${rank}>`,
    kind: KIND.control as number,
  }));
  const ranks = new Set<number>();
  for (const [i, entry] of given.entries()) {
    const at = `${where}[${i}]`;
    if (!isObject(entry)) throw mismatch(at, "an object", show(entry), ADVICE);
    const [rank, text, control] = ["rank", "token_str", "is_control"].map((name) => own(entry, name));
    if (typeof rank !== "number" || !Number.isInteger(rank) || rank < 0 || rank >= count || ranks.has(rank))
      throw mismatch(`${at}.rank`, `a rank of its own from 0 to ${count - 1}`, show(rank), ADVICE);
    if (typeof text !== "string" || text === "" || text.length > MAX_TOKEN_LENGTH) {
      const expected = `a text of 1 to ${MAX_TOKEN_LENGTH} characters`;
      throw mismatch(`${at}.token_str`, expected, show(text), ADVICE);
    }
    if (control !== undefined && typeof control !== "boolean")
      throw mismatch(`${at}.is_control`, "true or false", show(control), ADVICE);
    ranks.add(rank);
    specials[rank] = { text, kind: control === false ? KIND.userDefined : KIND.control };
  }
  return specials;
}

/** The first `count` tokens, in GPT-2's alphabet. Longer lists end in tokens that are not used. */
function readPieces(list: unknown, count: number, where: string): string[] {
  if (!Array.isArray(list) || list.length < count)
    throw mismatch(where, `a list of at least ${count}`, sizeOf(list), ADVICE);
  return list.slice(0, count).map((entry: unknown, i) => {
    const at = `${where}[${i}]`;
    if (!isObject(entry)) throw mismatch(at, "an object", show(entry), ADVICE);
    const rank = own(entry, "rank");
    if (rank !== i) throw mismatch(`${at}.rank`, `${i}`, show(rank), ADVICE);
    const encoded = own(entry, "token_bytes");
    const bytes = typeof encoded === "string" ? bytesOf(encoded) : undefined;
    if (!bytes || bytes.length === 0 || bytes.length > MAX_TOKEN_LENGTH) {
      const expected = `1 to ${MAX_TOKEN_LENGTH} bytes in base64`;
      throw mismatch(`${at}.token_bytes`, expected, show(encoded), ADVICE);
    }
    if (i < 256 && (bytes.length > 1 || bytes.charCodeAt(0) !== i))
      throw mismatch(`${at}.token_bytes`, `the byte ${i}`, show(encoded), ADVICE);
    return Array.from(bytes, (byte) => byteAlphabet[byte.charCodeAt(0)]).join("");
  });
}

/** Bytes as characters; undefined if `text` is not base64, padded. */
function bytesOf(text: string): string | undefined {
  if (text.length % 4 !== 0) return undefined;
  try {
    return atob(text);
  } catch {
    return undefined;
  }
}

function refuseTwice(texts: readonly string[], specialCount: number, file: string): void {
  const ids = new Map<string, number>();
  for (const [id, text] of texts.entries()) {
    const before = ids.get(text);
    if (before !== undefined) {
      const where = id < specialCount ? `special_tokens of rank ${id}` : `vocab[${id - specialCount}]`;
      throw mismatch(`${file}: ${where}`, "a token of its own", `that of id ${before}`, ADVICE);
    }
    ids.set(text, id);
  }
}

const sizeOf = (list: unknown): string => (Array.isArray(list) ? `one of ${list.length}` : show(list));
