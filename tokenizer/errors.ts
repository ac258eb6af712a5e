/** Codes of a TokenizerError. */
export type TokenizerErrorCode = "bad-tokenizer";

/** A tokenizer file is damaged or not supported. Thrown when a model's files are loaded. */
export class TokenizerError extends Error {
  override readonly name = "TokenizerError";
  /** What went wrong, for programs. */
  readonly code: TokenizerErrorCode = "bad-tokenizer";
}

/** Codes of a ChatTemplateError. */
export type ChatTemplateErrorCode =
  /** The model has no chat template: a base model. Use a plain prompt. */
  | "no-chat-template"
  /** The template cannot be parsed, fails, or uses a feature that is not supported. */
  | "bad-chat-template"
  /** The template or the engine refuses these messages. Change them. */
  | "refused-messages";

/** A conversation cannot be rendered: there is no template, it fails, or it refuses these messages. */
export class ChatTemplateError extends Error {
  override readonly name = "ChatTemplateError";
  /** What went wrong, for programs. */
  readonly code: ChatTemplateErrorCode;

  constructor(
    message: string,
    { code, ...options }: ErrorOptions & { readonly code: ChatTemplateErrorCode },
  ) {
    super(message, options);
    this.code = code;
  }
}
