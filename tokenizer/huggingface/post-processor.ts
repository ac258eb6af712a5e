// The `post_processor` section of tokenizer.json: the ids that are added before and after a text.
import { flatten } from "./normalizer-rules.ts";
import { type Fields, isFields, refuse } from "./tokenizer-file.ts";

export interface PostProcessor {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
}

const where = "tokenizer.json post_processor";
const ADVICE = "Sirocco does not support this tokenizer.";
const MAX_IDS = 64;

/**
 * Checks the section. Its field `pair` is ignored: it is for two texts at once, which no supported model
 * takes.
 * @throws TokenizerError if it is not supported
 */
export function readPostProcessor(section: unknown, tokens: readonly (string | undefined)[]): PostProcessor {
  let ids: PostProcessor = { prefix: [], suffix: [] };
  for (const step of flatten(section ?? undefined, where, "processors")) {
    const { type } = step;
    // ByteLevel changes offsets only.
    if (type === "ByteLevel") continue;
    if (type !== "TemplateProcessing")
      refuse(`${where}.type`, "TemplateProcessing or ByteLevel", type, ADVICE);
    const { prefix, suffix } = readTemplate(step, tokens);
    ids = { prefix: [...prefix, ...ids.prefix], suffix: [...ids.suffix, ...suffix] };
  }
  return ids;
}

function readTemplate(
  { single, special_tokens: specials }: Fields,
  tokens: readonly (string | undefined)[],
): PostProcessor {
  if (!Array.isArray(single)) refuse(`${where}.single`, "a list", single, ADVICE);
  const prefix: number[] = [];
  const suffix: number[] = [];
  let texts = 0;
  for (const piece of single as unknown[]) {
    const { SpecialToken: special, Sequence: text }: Fields = isFields(piece) ? piece : {};
    if (isFields(special)) (texts > 0 ? suffix : prefix).push(...readIds(special["id"], specials, tokens));
    else if (isFields(text) && text["id"] === "A") texts++;
    else refuse(`${where}.single`, "special tokens and the sequence A", piece, ADVICE);
  }
  if (texts !== 1) refuse(`${where}.single`, "the sequence A once", texts, ADVICE);
  if (prefix.length + suffix.length > MAX_IDS)
    refuse(`${where}.single`, `at most ${MAX_IDS} ids`, "more", ADVICE);
  return { prefix, suffix };
}

function readIds(name: unknown, specials: unknown, tokens: readonly (string | undefined)[]): number[] {
  const all: Fields = isFields(specials) ? specials : {};
  const entry = typeof name === "string" && Object.hasOwn(all, name) ? all[name] : undefined;
  const { ids }: Fields = isFields(entry) ? entry : {};
  const known = (id: unknown) => typeof id === "number" && tokens[id] !== undefined;
  if (!Array.isArray(ids) || ids.length > MAX_IDS || !ids.every(known))
    refuse(`${where}.special_tokens`, "ids of the vocabulary for each token of the template", name, ADVICE);
  return ids as number[];
}
