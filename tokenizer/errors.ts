/** A tokenizer file has a shape that cannot be used. Catch it where a model's files are loaded. */
export class TokenizerError extends Error {
  override readonly name = "TokenizerError";
}

/** A conversation cannot be rendered: no template, a broken one, or one that refuses these messages. */
export class ChatTemplateError extends Error {
  override readonly name = "ChatTemplateError";
}
