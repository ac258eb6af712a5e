/** One turn of a conversation. */
export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
  /** What an assistant thought before it said this: `reasoning_content` in templates. */
  readonly reasoning?: string;
}
