// The tokenizer of a checkpoint without tokenizer.json: tekken.json, or tokenizer.model of SentencePiece.
import type { Vocabulary } from "../checkpoint.ts";
import { mismatch, show } from "../errors.ts";
import { isObject, type JsonObject, own } from "../json.ts";
import { readBytes, readJson } from "../read-file.ts";
import type { Source } from "../source.ts";
import type { FoundVocabulary } from "./found-vocabulary.ts";
import { mistralChat } from "./mistral-chat.ts";
import { otherVocabularies } from "./names.ts";
import { readSentencePiece } from "./sentencepiece-file.ts";
import { readTekken } from "./tekken.ts";
import { addedTokens, tokenizerJson } from "./tokens.ts";

const ADVICE = "Choose another checkpoint, or repair this file.";

interface Found extends FoundVocabulary {
  readonly file: string;
}

/**
 * @param given tokenizer_config.json, whose fields count
 * @returns undefined if there is none
 * @throws CheckpointError naming file and field
 */
export async function otherVocabulary(
  source: Source,
  given: JsonObject | undefined,
  signal?: AbortSignal,
): Promise<Pick<Vocabulary, "tokenizer" | "tokenizerConfig"> | undefined> {
  const found = await find(source, given, signal);
  if (!found) return undefined;
  const json = tokenizerJson(found.tokens, found.model);
  const added = await addedBeside(source, found, given, signal);
  return {
    tokenizer: { ...json, added_tokens: [...addedTokens(found.tokens), ...added] },
    tokenizerConfig: {
      add_bos_token: found.model.addBos,
      add_eos_token: false,
      bos_token: found.bos,
      eos_token: found.eos,
      unk_token: found.unknown,
      chat_template: mistralChat(found.version, found.file),
      ...given,
    },
  };
}

async function find(
  source: Source,
  given: JsonObject | undefined,
  signal: AbortSignal | undefined,
): Promise<Found | undefined> {
  for (const file of otherVocabularies) {
    if ((await source.size(file, signal)) === undefined) continue;
    if (file.endsWith(".json"))
      return { file, ...readTekken((await readJson(source, file, signal)) ?? {}, file) };
    // As transformers' LlamaTokenizer: `legacy` puts a space in front of each section.
    const firstOnly = own(given ?? {}, "legacy") === false;
    const bytes = (await readBytes(source, file, signal)) ?? new Uint8Array();
    return { file, ...readSentencePiece(bytes, file, firstOnly) };
  }
  return undefined;
}

/**
 * Tokens after the vocabulary's, which fine-tunes add: `added_tokens_decoder` of tokenizer_config.json, by
 * id, or added_tokens.json, by text.
 */
async function addedBeside(
  source: Source,
  { tokens: { texts } }: FoundVocabulary,
  config: JsonObject | undefined,
  signal: AbortSignal | undefined,
): Promise<JsonObject[]> {
  const decoder = own(config ?? {}, "added_tokens_decoder");
  if (isObject(decoder)) {
    return Object.entries(decoder).flatMap(([id, token]) => {
      const where = `tokenizer_config.json: added_tokens_decoder[${show(id)}]`;
      if (!isObject(token)) throw mismatch(where, "an object", show(token), ADVICE);
      return texts[Number(id)] === own(token, "content") ? [] : [{ ...token, id: Number(id) }];
    });
  }
  const file = "added_tokens.json";
  return Object.entries((await readJson(source, file, signal)) ?? {}).flatMap(([content, id]) =>
    typeof id === "number" && texts[id] === content
      ? []
      : [{ id, content, special: /^<.*>$/.test(content), normalized: false }],
  );
}
