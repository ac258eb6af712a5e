export type { ChatMessage } from "./chat-message.ts";
export { ChatTemplateError, TokenizerError } from "./errors.ts";
export type { StreamDecoder } from "./stream-decoder.ts";
export { type DecodeOptions, type EncodeOptions, Tokenizer, type TokenizerFiles } from "./tokenizer.ts";
