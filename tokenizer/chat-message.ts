/** One turn of a conversation. */
export interface ChatMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
  /** What an assistant thought before it said this: `reasoning_content` in templates. */
  readonly reasoning?: string;
  /** Calls that an assistant asked for. */
  readonly toolCalls?: readonly ChatToolCall[];
  /** Of a tool: the call that it answers. */
  readonly toolCallId?: string;
  /** Of a tool: its name. */
  readonly name?: string;
}

export interface ChatToolCall {
  readonly id: string;
  readonly name: string;
  /** The text of a JSON object. */
  readonly arguments: string;
}

/** A function that a model may ask for. */
export interface ChatTool {
  readonly name: string;
  readonly description?: string;
  /** A JSON Schema. */
  readonly parameters?: unknown;
}
