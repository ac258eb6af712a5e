// tokenizer.json is not trusted: every field that is used is checked once, when the file is read.
import { TokenizerError } from "../errors.ts";

/** A token that is found in the text before it is split into words. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Left out of decoded text. */
  readonly special: boolean;
  /** Matched in the normalized text, not in the raw text. */
  readonly normalized: boolean;
  /** Remove the white space before it, or after it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Not matched next to a letter, a digit or "_". */
  readonly singleWord: boolean;
}

export type Fields = Readonly<Record<string, unknown>>;

export interface TokenizerFile {
  /** The token of each id; undefined for an id without a token. */
  readonly tokens: readonly (string | undefined)[];
  readonly addedTokens: readonly AddedToken[];
  readonly unknownToken: string | undefined;
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly merging: Merging;
  readonly normalizer: unknown;
  readonly preTokenizer: unknown;
  readonly decoder: unknown;
  readonly postProcessor: unknown;
}

export interface Merging {
  readonly pairs: readonly (readonly [left: string, right: string])[];
  readonly byteFallback: boolean;
  readonly fuseUnknown: boolean;
  readonly wholeWords: boolean;
}

const file = "tokenizer.json";
const ADVICE = "Download the model's tokenizer files again, or take them from the original repository.";
/** Far above any vocabulary: a hostile id must not allocate gigabytes. */
const MAX_IDS = 1 << 22;
/** In characters. Published tokens have up to 256; a request can repeat a token millions of times. */
const MAX_TOKEN_LENGTH = 1024;

export function refuse(where: string, expected: string, got: unknown, advice = ADVICE): never {
  throw new TokenizerError(`${where}: expected ${expected}, got ${describe(got)}. ${advice}`);
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A short description of a value, whatever the file contains. */
function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Checks a parsed tokenizer.json. @throws TokenizerError naming the field at fault */
export function readTokenizerFile(json: unknown): TokenizerFile {
  if (!isFields(json)) refuse(file, "an object", json);
  const { model, added_tokens: added, decoder, post_processor: processor } = json;
  if (!isFields(model)) refuse(`${file} model`, "an object", model);
  const { vocab, unk_token: unknown } = model;
  const merging = readMerging(model);
  const vocabulary = readVocabulary(vocab);
  const tokens: (string | undefined)[] = [];
  const place = (id: number, token: string) => {
    while (tokens.length < id) tokens.push(undefined);
    tokens[id] = token;
  };
  for (const [token, id] of vocabulary) {
    if (tokens[id] !== undefined)
      refuse(`${file} model.vocab[${describe(token)}]`, "an id of its own", `${id}, the id of ${tokens[id]}`);
    place(id, token);
  }
  const addedTokens = readAddedTokens(added ?? [], vocabulary);
  for (const { id, content } of addedTokens) place(id, content);
  if (unknown !== undefined && unknown !== null && typeof unknown !== "string") {
    refuse(`${file} model.unk_token`, "a token or null", unknown);
  }
  return {
    tokens,
    addedTokens,
    unknownToken: unknown ?? undefined,
    vocabulary,
    merging,
    normalizer: json["normalizer"],
    preTokenizer: json["pre_tokenizer"],
    decoder,
    postProcessor: processor,
  };
}

/** Reads `model` without its vocabulary. Refuses fields that would change ids and are not supported. */
function readMerging(model: Fields): Merging {
  const { type = "BPE", merges } = model;
  if (type !== "BPE") refuse(`${file} model.type`, '"BPE"', type, "Only BPE tokenizers are supported.");
  for (const name of ["end_of_word_suffix", "continuing_subword_prefix", "continuing_subword_suffix"]) {
    if (model[name])
      refuse(`${file} model.${name}`, "none", model[name], "CLIP-like tokenizers are not supported.");
  }
  if (model["dropout"])
    refuse(`${file} model.dropout`, "none", model["dropout"], "Dropout is for training: set it to null.");
  const flag = (name: string): boolean => {
    const value = model[name] ?? false;
    return typeof value === "boolean" ? value : refuse(`${file} model.${name}`, "true or false", value);
  };
  return {
    pairs: readMerges(merges),
    byteFallback: flag("byte_fallback"),
    fuseUnknown: flag("fuse_unk"),
    wholeWords: flag("ignore_merges"),
  };
}

function checkId(where: string, id: unknown): asserts id is number {
  if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= MAX_IDS) {
    refuse(where, `an id from 0 to ${MAX_IDS - 1}`, id);
  }
}

function readVocabulary(vocab: unknown): Map<string, number> {
  if (!isFields(vocab)) refuse(`${file} model.vocab`, "an object from token to id", vocab);
  const ids = new Map<string, number>();
  for (const [token, id] of Object.entries(vocab)) {
    checkId(`${file} model.vocab[${describe(token)}]`, id);
    if (token.length > MAX_TOKEN_LENGTH) refuseLength(`${file} model.vocab`, token);
    ids.set(token, id);
  }
  if (ids.size === 0) refuse(`${file} model.vocab`, "at least one token", "none");
  return ids;
}

const refuseLength = (where: string, token: string) =>
  refuse(where, `tokens of at most ${MAX_TOKEN_LENGTH} characters`, `one of ${token.length}`);

/** Merges are given as "left right", or as pairs: a token may contain a space. */
function readMerges(merges: unknown): Merging["pairs"] {
  if (!Array.isArray(merges)) refuse(`${file} model.merges`, "a list", merges);
  const inPairs = Array.isArray(merges[0]);
  return merges.map((merge: unknown, i) => {
    const pair: unknown = inPairs || typeof merge !== "string" ? merge : merge.split(" ");
    const good =
      inPairs === Array.isArray(merge) &&
      Array.isArray(pair) &&
      pair.length === 2 &&
      pair.every((part) => typeof part === "string" && part !== "");
    if (!good) refuse(`${file} model.merges[${i}]`, inPairs ? "a pair of tokens" : '"left right"', merge);
    return pair as unknown as readonly [string, string];
  });
}

function readAddedTokens(list: unknown, vocabulary: ReadonlyMap<string, number>): AddedToken[] {
  if (!Array.isArray(list)) refuse(`${file} added_tokens`, "a list", list);
  return list.map((entry: unknown, i): AddedToken => {
    const where = `${file} added_tokens[${i}]`;
    if (!isFields(entry)) refuse(where, "an object", entry);
    const { id, content } = entry;
    checkId(`${where}.id`, id);
    if (typeof content !== "string" || content === "") refuse(`${where}.content`, "a text", content);
    if (content.length > MAX_TOKEN_LENGTH) refuseLength(`${where}.content`, content);
    const own = vocabulary.get(content) ?? id;
    if (own !== id) refuse(`${where}.id`, `${own}, the token's id in model.vocab`, id);
    const flag = (name: string, fallback: boolean): boolean => {
      const value = entry[name] ?? fallback;
      if (typeof value !== "boolean") refuse(`${where}.${name}`, "true or false", value);
      return value;
    };
    const special = flag("special", false);
    const normalized = flag("normalized", !special);
    return {
      id,
      content,
      special,
      normalized,
      lstrip: flag("lstrip", false),
      rstrip: flag("rstrip", false),
      singleWord: flag("single_word", false),
    };
  });
}
