import { Tokenizer as Library } from "@huggingface/tokenizers";
import { AddedTokenMatcher } from "./added-tokens.ts";
import type { ContentGuard } from "./content-guard.ts";
import { TokenizerError } from "./errors.ts";
import type { TokenizerFile } from "./tokenizer-file.ts";

/**
 * Text to ids: the library's normalizer, pre-tokenizer and BPE, driven section by section between added tokens.
 * The library's own `encode` does the same but cannot be told that an added token is, here, only text.
 */
export class TextModel {
  readonly #library: Library;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #unknown: number | undefined;
  readonly #rawTokens: AddedTokenMatcher;
  readonly #normalizedTokens: AddedTokenMatcher;

  constructor(file: TokenizerFile) {
    this.#library = build(file);
    const ids = this.#library.model!.tokens_to_ids;
    this.#unknown = file.unknownToken === undefined ? undefined : ids.get(file.unknownToken);
    // No merge may end in a control token: what text spells out stays text.
    for (const { content, special } of file.addedTokens) {
      if (special && content !== file.unknownToken) ids.delete(content);
    }
    this.#ids = ids;
    const { normalizer } = this.#library;
    const normalized = file.addedTokens.filter((token) => token.normalized && normalizer);
    this.#rawTokens = new AddedTokenMatcher(file.addedTokens.filter((token) => !normalized.includes(token)));
    this.#normalizedTokens = new AddedTokenMatcher(normalized, ({ content }) => normalizer!(content));
  }

  /** Ids of a text in which added tokens count, except those that `guard` hides. */
  encode(text: string, guard?: ContentGuard): number[] {
    const ids: number[] = [];
    this.#rawTokens.split(text).forEach((section, index) => {
      if (typeof section === "string") this.#encodeSection(section, index, guard, ids);
      else ids.push(section.id);
    });
    return ids;
  }

  #encodeSection(section: string, index: number, guard: ContentGuard | undefined, ids: number[]): void {
    if (section === "") return;
    const { normalizer, pre_tokenizer, model } = this.#library;
    const normalized = normalizer ? normalizer(section) : section;
    for (const part of this.#normalizedTokens.split(normalized)) {
      if (typeof part !== "string") {
        ids.push(part.id);
        continue;
      }
      const text = guard ? guard.restore(part) : part;
      if (text === "") continue;
      // A Metaspace of scheme "first" puts its space before section 0 only, so it must know which this is.
      const words = pre_tokenizer ? pre_tokenizer(text, { section_index: index }) : [text];
      for (const token of model!(words)) ids.push(this.#idOf(token));
    }
  }

  #idOf(token: string): number {
    const id = this.#ids.get(token) ?? this.#unknown;
    if (id !== undefined) return id;
    throw new TokenizerError(
      `tokenizer.json: expected a token for ${JSON.stringify(token)} or an unk_token, got neither. ` +
        "Leave that text out, or use a tokenizer that covers it.",
    );
  }
}

function build(file: TokenizerFile): Library {
  try {
    return new Library(file.json, {});
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TokenizerError(
      `tokenizer.json: expected a normalizer, pre_tokenizer and model that are known, got "${reason}". ` +
        "Use the tokenizer.json of a Mistral or Llama checkpoint.",
      { cause: error },
    );
  }
}
