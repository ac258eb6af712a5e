// The tokenizer in the metadata -> the files of Hugging Face.
import type { Vocabulary } from "../checkpoint.ts";
import { own, parseJsonText } from "../json.ts";
import { sentencePieceModel } from "../vocabulary/sentencepiece.ts";
import { KIND, type TokenizerModel, type Tokens, tokenizerJson } from "../vocabulary/tokens.ts";
import { ggufByteLevelModel } from "./byte-level.ts";
import type { Metadata } from "./metadata.ts";

const UNSUPPORTED = "Sirocco does not read this tokenizer; choose another conversion of the model.";
const TEMPLATE = "tokenizer.chat_template";

/** @returns undefined for a file without a tokenizer @throws CheckpointError naming the key */
export function readVocabulary(metadata: Metadata): Vocabulary | undefined {
  const key = "tokenizer.ggml.model";
  const kind = metadata.text(key);
  if (kind === undefined || kind === "none" || kind === "no_vocab") return undefined;
  const tokens = readTokens(metadata);
  const model = modelOf(kind, metadata, tokens);
  const id = (name: string) => metadata.number(`tokenizer.ggml.${name}_token_id`);
  const token = (name: string) => tokens.texts[id(name) ?? -1];
  return {
    tokenizer: tokenizerJson(tokens, model),
    tokenizerConfig: {
      add_bos_token: metadata.flag("tokenizer.ggml.add_bos_token") ?? model.addBos,
      add_eos_token: metadata.flag("tokenizer.ggml.add_eos_token") ?? false,
      bos_token: token("bos"),
      eos_token: token("eos"),
      unk_token: token("unknown"),
      chat_template: templates(metadata),
    },
    specialTokensMap: undefined,
    chatTemplate: undefined,
  };
}

function modelOf(kind: string, metadata: Metadata, tokens: Tokens): TokenizerModel {
  // A few files have the original, which says more.
  const key = "tokenizer.huggingface.json";
  const original = metadata.text(key);
  if (original !== undefined) {
    const json = parseJsonText(original, `${metadata.file}: ${key}`, UNSUPPORTED, "python");
    return { json, addBos: own(json, "post_processor") !== null && kind === "llama" };
  }
  if (kind === "llama") return piecesModel(metadata, tokens);
  if (kind === "gpt2") return ggufByteLevelModel(metadata, tokens);
  throw metadata.wrong("tokenizer.ggml.model", '"llama" or "gpt2"', UNSUPPORTED);
}

function piecesModel(metadata: Metadata, tokens: Tokens): TokenizerModel {
  const { texts, kinds } = tokens;
  const key = "tokenizer.ggml.scores";
  const scores = metadata.numbers(key);
  if (scores?.length !== texts.length)
    throw metadata.wrong(key, `${texts.length} numbers, one for each token`);
  const unknown = metadata.number("tokenizer.ggml.unknown_token_id") ?? kinds.indexOf(KIND.unknown);
  const prefix = metadata.flag("tokenizer.ggml.add_space_prefix") ?? true;
  return sentencePieceModel({ ...tokens, scores, prefix, unknown: texts[unknown] });
}

function readTokens(metadata: Metadata): Tokens {
  const [key, kindsKey] = ["tokenizer.ggml.tokens", "tokenizer.ggml.token_type"];
  const texts = metadata.texts(key);
  if (!texts || texts.length === 0) throw metadata.wrong(key, "a list of texts");
  const kinds = metadata.numbers(kindsKey) ?? texts.map(() => KIND.normal);
  if (kinds.length === texts.length) return { texts, kinds };
  throw metadata.wrong(kindsKey, `${texts.length} numbers, one for each token`);
}

/** `chat_template` of tokenizer_config.json: one text, or a list of named ones. */
function templates(metadata: Metadata): unknown {
  const plain = metadata.text(TEMPLATE);
  const others = metadata
    .keys()
    .filter((key) => key.startsWith(`${TEMPLATE}.`))
    .map((key) => ({ name: key.slice(TEMPLATE.length + 1), template: metadata.text(key) }));
  if (others.length === 0) return plain;
  return [...(plain === undefined ? [] : [{ name: "default", template: plain }]), ...others];
}
