import { Tokenizer as Library } from "@huggingface/tokenizers";
import { AddedTokenMatcher } from "./added-tokens.ts";
import type { ContentGuard } from "./content-guard.ts";
import { TokenizerError } from "./errors.ts";
import type { TokenizerFile } from "./tokenizer-file.ts";

/** The library's three steps from a text without added tokens to the tokens of the vocabulary. */
interface Steps {
  readonly normalize: (text: string) => string;
  /** `section` is the number of this text among those between added tokens. */
  readonly preTokenize: (text: string, section: number) => string[];
  readonly tokenize: (words: string[]) => string[];
  readonly ids: Map<string, number>;
}

/**
 * Text to ids: the library's normalizer, pre-tokenizer and BPE, driven section by section between added tokens.
 * The library's own `encode` does the same but cannot be told that an added token is, here, only text.
 */
export class TextModel {
  readonly #steps: Steps;
  readonly #unknown: number | undefined;
  readonly #rawTokens: AddedTokenMatcher;
  readonly #normalizedTokens: AddedTokenMatcher;

  constructor(file: TokenizerFile) {
    this.#steps = build(file);
    const { ids, normalize } = this.#steps;
    this.#unknown = file.unknownToken === undefined ? undefined : ids.get(file.unknownToken);
    // No merge may end in a control token: what text spells out stays text.
    for (const { content, special } of file.addedTokens) {
      if (special && content !== file.unknownToken) ids.delete(content);
    }
    const normalized = file.addedTokens.filter(
      (token) => token.normalized && file.json["normalizer"] !== null,
    );
    this.#rawTokens = new AddedTokenMatcher(file.addedTokens.filter((token) => !normalized.includes(token)));
    this.#normalizedTokens = new AddedTokenMatcher(normalized, ({ content }) => normalize(content));
  }

  /** Ids of a text in which added tokens count, except those that `guard` hides. */
  encode(text: string, guard?: ContentGuard): number[] {
    const ids: number[] = [];
    this.#rawTokens.split(text).forEach((section, index) => {
      if (typeof section !== "string") ids.push(section.id);
      else if (section !== "") this.#encodeSection(section, index, guard, ids);
    });
    return ids;
  }

  #encodeSection(section: string, index: number, guard: ContentGuard | undefined, ids: number[]): void {
    const { normalize, preTokenize, tokenize } = this.#steps;
    for (const part of this.#normalizedTokens.split(normalize(section))) {
      if (typeof part !== "string") {
        ids.push(part.id);
      } else if (part !== "") {
        const words = preTokenize(guard ? guard.restore(part) : part, index);
        for (const token of tokenize(words)) ids.push(this.#idOf(token));
      }
    }
  }

  #idOf(token: string): number {
    const id = this.#steps.ids.get(token) ?? this.#unknown;
    if (id !== undefined) return id;
    throw new TokenizerError(
      `tokenizer.json: expected a token for ${JSON.stringify(token)} or an unk_token, got neither. ` +
        "Leave that text out, or use a tokenizer that covers it.",
    );
  }
}

function build(file: TokenizerFile): Steps {
  try {
    const { normalizer, pre_tokenizer: preTokenizer, model } = new Library(file.json, {});
    if (!model) throw new Error("no model");
    const steps: Steps = {
      normalize: (text) => (normalizer ? normalizer(text) : text),
      // A Metaspace of scheme "first" puts its space before section 0 only.
      preTokenize: (text, section) =>
        preTokenizer ? preTokenizer(text, { section_index: section }) : [text],
      tokenize: (words) => model(words),
      ids: model.tokens_to_ids,
    };
    // Some missing fields only show when the parts are used.
    steps.tokenize(steps.preTokenize(steps.normalize("a b"), 0));
    return steps;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TokenizerError(
      `tokenizer.json: expected a normalizer, pre_tokenizer and model that are known, got "${reason}". ` +
        "Use the tokenizer.json of a Mistral or Llama checkpoint.",
      { cause: error },
    );
  }
}
