export type { ChatMessage, ChatTool, ChatToolCall } from "./chat-message.ts";
export {
  ChatTemplateError,
  type ChatTemplateErrorCode,
  TokenizerError,
  type TokenizerErrorCode,
} from "./errors.ts";
export type { StreamDecoder } from "./stream-decoder.ts";
export { type DecodeOptions, type EncodeOptions, Tokenizer, type TokenizerFiles } from "./tokenizer.ts";
