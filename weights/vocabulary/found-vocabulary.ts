import type { TokenizerModel, Tokens } from "./tokens.ts";

/** What a vocabulary says that is no tokenizer.json. */
export interface FoundVocabulary {
  readonly tokens: Tokens;
  readonly model: TokenizerModel;
  readonly bos: string | undefined;
  readonly eos: string | undefined;
  readonly unknown: string | undefined;
  /** Version of Mistral's format of chats, "v3"; undefined if it is not known. */
  readonly version: string | undefined;
}
