/**
 * Files with a vocabulary, the one that is read first in front. They are read where tokenizer.json is
 * missing. Mistral's repositories name those of SentencePiece by the version of the format of their chats.
 */
export const otherVocabularies: readonly string[] = [
  "tekken.json",
  ...["v7m1", "v7", "v3", "v2", "v1"].map((version) => `tokenizer.model.${version}`),
  "tokenizer.model",
];
