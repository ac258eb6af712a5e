// tokenizer.json and its companions come from strangers: every field that is used is checked here, once.
import { TokenizerError } from "./errors.ts";

/** A token that is matched in the text before the model sees it. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Left out of decoded text. */
  readonly special: boolean;
  /** Matched in the normalized text instead of the raw one. */
  readonly normalized: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
}

export type Fields = Readonly<Record<string, unknown>>;

export interface TokenizerFile {
  /** Token of each id; ids that nothing names are undefined. */
  readonly tokens: readonly (string | undefined)[];
  readonly addedTokens: readonly AddedToken[];
  readonly unknownToken: string | undefined;
  readonly decoder: unknown;
  /** Token that the post-processor puts first, where there is one. */
  readonly firstToken: string | undefined;
  /** The file itself, with the sections that the library insists on. */
  readonly json: Fields;
}

const file = "tokenizer.json";
const remedy = "Download the model's tokenizer files again, or take them from the original repository.";
/** Far above any vocabulary; keeps a hostile id from reserving gigabytes. */
const maxIds = 1 << 22;

export function refuse(where: string, expected: string, got: unknown, todo = remedy): never {
  throw new TokenizerError(`${where}: expected ${expected}, got ${describe(got)}. ${todo}`);
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value in few words: messages must stay short whatever the file holds. */
function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Checks a parsed tokenizer.json. */
export function readTokenizerFile(json: unknown): TokenizerFile {
  if (!isFields(json)) refuse(file, "an object", json);
  const { model, added_tokens: added, decoder, post_processor: processor } = json;
  if (!isFields(model)) refuse(`${file} model`, "an object", model);
  const { type = "BPE", vocab, merges, unk_token: unknown, end_of_word_suffix: suffix } = model;
  if (type !== "BPE") refuse(`${file} model.type`, '"BPE"', type, "Only BPE tokenizers are supported.");
  if (suffix)
    refuse(`${file} model.end_of_word_suffix`, "none", suffix, "CLIP-like tokenizers are not supported.");
  checkMerges(merges);
  const tokens = readVocabulary(vocab);
  const addedTokens = readAddedTokens(added ?? []);
  for (const { id, content } of addedTokens) tokens[id] = content;
  if (unknown !== undefined && unknown !== null && typeof unknown !== "string") {
    refuse(`${file} model.unk_token`, "a token or null", unknown);
  }
  const sections = { normalizer: null, pre_tokenizer: null, ...json, decoder: null, post_processor: null };
  return {
    tokens,
    addedTokens,
    unknownToken: unknown ?? undefined,
    decoder,
    firstToken: firstToken(processor),
    json: { ...sections, added_tokens: [] },
  };
}

function checkId(where: string, id: unknown): asserts id is number {
  if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= maxIds) {
    refuse(where, `an id from 0 to ${maxIds - 1}`, id);
  }
}

function readVocabulary(vocab: unknown): (string | undefined)[] {
  if (!isFields(vocab)) refuse(`${file} model.vocab`, "an object from token to id", vocab);
  const tokens: (string | undefined)[] = [];
  for (const [token, id] of Object.entries(vocab)) {
    checkId(`${file} model.vocab[${describe(token)}]`, id);
    while (tokens.length < id) tokens.push(undefined);
    if (tokens[id] !== undefined) {
      refuse(`${file} model.vocab[${describe(token)}]`, "an id of its own", `${id}, the id of ${tokens[id]}`);
    }
    tokens[id] = token;
  }
  if (tokens.length === 0) refuse(`${file} model.vocab`, "at least one token", "none");
  return tokens;
}

/** Merges are "left right", or pairs since a token may itself hold a space. */
function checkMerges(merges: unknown): void {
  if (!Array.isArray(merges)) refuse(`${file} model.merges`, "a list", merges);
  const pairs = Array.isArray(merges[0]);
  for (const [i, merge] of merges.entries()) {
    const good = pairs
      ? Array.isArray(merge) && merge.length === 2 && merge.every((part) => typeof part === "string")
      : typeof merge === "string" && merge.indexOf(" ") > 0;
    if (!good) refuse(`${file} model.merges[${i}]`, pairs ? "a pair of tokens" : '"left right"', merge);
  }
}

function readAddedTokens(list: unknown): AddedToken[] {
  if (!Array.isArray(list)) refuse(`${file} added_tokens`, "a list", list);
  return list.map((entry: unknown, i): AddedToken => {
    const where = `${file} added_tokens[${i}]`;
    if (!isFields(entry)) refuse(where, "an object", entry);
    const { id, content } = entry;
    checkId(`${where}.id`, id);
    if (typeof content !== "string" || content === "") refuse(`${where}.content`, "a text", content);
    const flag = (name: string, fallback: boolean): boolean => {
      const value = entry[name] ?? fallback;
      if (typeof value !== "boolean") refuse(`${where}.${name}`, "true or false", value);
      return value;
    };
    const special = flag("special", false);
    const normalized = flag("normalized", !special);
    return { id, content, special, normalized, lstrip: flag("lstrip", false), rstrip: flag("rstrip", false) };
  });
}

/** The special token that a TemplateProcessing writes before the text, if any. */
function firstToken(processor: unknown): string | undefined {
  if (!isFields(processor)) return undefined;
  const { processors, single } = processor;
  const inner: readonly unknown[] = Array.isArray(processors) ? processors : [];
  const template = inner.filter(isFields).find(({ type }) => type === "TemplateProcessing");
  if (template) return firstToken({ ...template, processors: null });
  const first: unknown = Array.isArray(single) ? single[0] : undefined;
  const { SpecialToken: token } = isFields(first) ? first : {};
  const { id: name } = isFields(token) ? token : {};
  return typeof name === "string" ? name : undefined;
}
