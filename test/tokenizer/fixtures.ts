// Tokenizers and data that several tests share.
import { readFileSync } from "node:fs";
import { Tokenizer as Library } from "@huggingface/tokenizers";
import mistral from "mistral-tokenizer-js";
import { readChatTemplate } from "../../tokenizer/chat-template.ts";
import { Tokenizer, type TokenizerFiles } from "../../tokenizer/index.ts";

export type Json = Record<string, unknown>;
type Files = TokenizerFiles & { readonly tokenizer: Json; readonly tokenizerConfig: Json };

const root = new URL("../../", import.meta.url);

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, root), "utf8"));
}

/** A golden file of the embedded model. */
export function readGolden<T>(name: string): T {
  return readJson(`test/golden/tiny-mistral/${name}`) as T;
}

export function readTemplate(name: string): string {
  return readFileSync(new URL(`templates/${name}.jinja`, import.meta.url), "utf8");
}

/** The embedded model's tokenizer files. Parsed on each call, so a test may change them. */
export function tinyFiles(): Files {
  return {
    tokenizer: readJson("weights/tiny-mistral/tokenizer.json") as Json,
    tokenizerConfig: readJson("weights/tiny-mistral/tokenizer_config.json") as Json,
    specialTokensMap: readJson("weights/tiny-mistral/special_tokens_map.json"),
  };
}

/** A tokenizer that renders chat templates. */
export const openTokenizer = (files: TokenizerFiles): Tokenizer => Tokenizer.from(files, readChatTemplate);

export const openTiny = (): Tokenizer => openTokenizer(tinyFiles());

/** The tokenizer library with the same files: the oracle of many tests. */
export function openLibrary({ tokenizer, tokenizerConfig }: Files): Library {
  return new Library(tokenizer, { ...tokenizerConfig, clean_up_tokenization_spaces: false });
}

const added = (content: string, id: number): Json => ({ id, content, special: true, normalized: false });

/** Mistral v0.1's 32,000 tokens in the layout of its tokenizer.json. */
export function mistralV1Files(): Files {
  const files = tinyFiles();
  const vocab = Object.fromEntries(mistral.vocabById.map((token, id) => [token, id]));
  // The package has the merges of spaces last, as it must, though their tokens have the lowest ids.
  const model = { ...(files.tokenizer["model"] as Json), vocab, merges: [...mistral.merges.keys()] };
  return { ...files, tokenizer: { ...files.tokenizer, model } };
}

/** Control tokens of v0.3 in the order of their ids, 3 and on; [control_…] fill the rest up to 770. */
export const v3Controls = [
  "[INST]",
  "[/INST]",
  "[TOOL_CALLS]",
  "[AVAILABLE_TOOLS]",
  "[/AVAILABLE_TOOLS]",
  "[TOOL_RESULTS]",
  "[/TOOL_RESULTS]",
];

/**
 * Mistral v0.3: v0.1's vocabulary with 768 control tokens after "</s>". Its tokenizer.json has had two forms:
 * first with Llama's normalizer, later with a Metaspace that prepends to the first section only.
 */
export function mistralV3Files(form: "prepend" | "metaspace"): Files {
  const files = mistralV1Files();
  const model = files.tokenizer["model"] as Json;
  const names = Array.from({ length: 768 }, (_, i) => v3Controls[i] ?? `[control_${i + 1}]`);
  const controls = names.map((name, i) => added(name, i + 3));
  const old = mistral.vocabById.map((token, id): [string, number] => [token, id < 3 ? id : id + 768]);
  const vocab = Object.fromEntries([...old, ...names.map((name, i): [string, number] => [name, i + 3])]);
  const metaspace = { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: false };
  return {
    ...files,
    tokenizer: {
      ...files.tokenizer,
      model: { ...model, vocab },
      added_tokens: [...(files.tokenizer["added_tokens"] as Json[]), ...controls],
      ...(form === "metaspace" && { normalizer: null, pre_tokenizer: metaspace }),
    },
    chatTemplate: readTemplate("v0.3"),
  };
}

/** A byte-level tokenizer (Llama 3, SmolLM2) of 256 bytes, a few merges and two control tokens. */
export function byteLevelFiles(): Files {
  const alphabet: string[] = [];
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    alphabet.push(String.fromCharCode(printable ? byte : next++));
  }
  const merges = ["Ġ t", "h e", "Ġt he", "i n", "Ã ©", "ã ģ"];
  const tokens = [...alphabet, ...merges.map((merge) => merge.replace(" ", ""))];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    tokenizer: {
      added_tokens: [added("<|im_start|>", tokens.length), added("<|im_end|>", tokens.length + 1)],
      normalizer: null,
      pre_tokenizer: byteLevel,
      post_processor: null,
      decoder: byteLevel,
      model: { type: "BPE", vocab, merges, byte_fallback: false },
    },
    tokenizerConfig: { eos_token: "<|im_end|>" },
    chatTemplate:
      "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}" +
      "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
  };
}
