export type { ChatMessage } from "./chat-message.ts";
export { type RenderOptions, renderChat } from "./chat-template.ts";
export { ChatTemplateError, TokenizerError } from "./errors.ts";
export type { StreamDecoder } from "./stream-decoder.ts";
export { type DecodeOptions, type EncodeOptions, Tokenizer, type TokenizerFiles } from "./tokenizer.ts";
