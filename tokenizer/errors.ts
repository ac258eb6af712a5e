/**
 * A tokenizer file is damaged or uses something that is not supported. Thrown when a model's files are
 * loaded.
 */
export class TokenizerError extends Error {
  override readonly name = "TokenizerError";
}

/** A conversation cannot be rendered: there is no template, it fails, or it refuses these messages. */
export class ChatTemplateError extends Error {
  override readonly name = "ChatTemplateError";
}
