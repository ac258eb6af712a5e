// The `post_processor` section of tokenizer.json: the ids around a text.
import { flatten } from "./normalizer-rules.ts";
import { type Fields, isFields, refuse } from "./tokenizer-file.ts";

export interface PostProcessor {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
}

const where = "tokenizer.json post_processor";
const todo = "Sirocco does not support this tokenizer.";
const MOST_IDS = 64;

/** Checks the section. `pair` is for two texts at once, of which no model here takes any. */
export function readPostProcessor(section: unknown, tokens: readonly (string | undefined)[]): PostProcessor {
  let ids: PostProcessor = { prefix: [], suffix: [] };
  for (const step of flatten(section ?? undefined, where, "processors")) {
    const { type } = step;
    // It moves offsets only.
    if (type === "ByteLevel") continue;
    if (type !== "TemplateProcessing") refuse(`${where}.type`, "TemplateProcessing or ByteLevel", type, todo);
    const { prefix, suffix } = readTemplate(step, tokens);
    ids = { prefix: [...prefix, ...ids.prefix], suffix: [...ids.suffix, ...suffix] };
  }
  return ids;
}

function readTemplate(
  { single, special_tokens: specials }: Fields,
  tokens: readonly (string | undefined)[],
): PostProcessor {
  if (!Array.isArray(single)) refuse(`${where}.single`, "a list", single, todo);
  const prefix: number[] = [];
  const suffix: number[] = [];
  let texts = 0;
  for (const piece of single as unknown[]) {
    const { SpecialToken: special, Sequence: text }: Fields = isFields(piece) ? piece : {};
    if (isFields(special)) (texts > 0 ? suffix : prefix).push(...readIds(special["id"], specials, tokens));
    else if (isFields(text) && text["id"] === "A") texts++;
    else refuse(`${where}.single`, "special tokens and the sequence A", piece, todo);
  }
  if (texts !== 1) refuse(`${where}.single`, "the sequence A once", texts, todo);
  if (prefix.length + suffix.length > MOST_IDS)
    refuse(`${where}.single`, `at most ${MOST_IDS} ids`, "more", todo);
  return { prefix, suffix };
}

function readIds(name: unknown, specials: unknown, tokens: readonly (string | undefined)[]): number[] {
  const all: Fields = isFields(specials) ? specials : {};
  const entry = typeof name === "string" && Object.hasOwn(all, name) ? all[name] : undefined;
  const { ids }: Fields = isFields(entry) ? entry : {};
  const known = (id: unknown) => typeof id === "number" && tokens[id] !== undefined;
  if (!Array.isArray(ids) || ids.length > MOST_IDS || !ids.every(known))
    refuse(`${where}.special_tokens`, "ids of the vocabulary for each token of the template", name, todo);
  return ids as number[];
}
