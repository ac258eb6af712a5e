import type { ChatMessage } from "./chat-message.ts";

export interface RoleOrder {
  readonly messages: readonly ChatMessage[];
  /** Whether the assistant's message at the start was dropped. */
  readonly dropsAssistant: boolean;
}

export const droppedAssistant =
  "chat: the chat template accepts no assistant message before the first user message, so it was dropped.";

/**
 * The orders of messages to try, until the template accepts one: first the conversation as given, then each
 * change below if it changes anything. Only the last one loses text: the assistant's message at the start.
 *
 * 1. Adjacent messages of one role are merged, joined by an empty line. This includes system messages.
 * 2. The system message is put before the first user message, joined by an empty line, as Mistral's own
 *    tokenizer library does.
 * 3. An assistant's message before the first user message is dropped, then the same with 2.
 */
export function* roleOrders(messages: readonly ChatMessage[]): Generator<RoleOrder> {
  yield { messages, dropsAssistant: false };
  const merged = mergeSameRoles(messages);
  if (merged.length < messages.length) yield { messages: merged, dropsAssistant: false };
  const folded = foldSystem(merged);
  if (folded) yield { messages: folded, dropsAssistant: false };
  const without = dropLeadingAssistant(merged);
  if (!without) return;
  yield { messages: without, dropsAssistant: true };
  const both = foldSystem(without);
  if (both) yield { messages: both, dropsAssistant: true };
}

function mergeSameRoles(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const merged: ChatMessage[][] = [];
  for (const message of messages) {
    const last = merged.at(-1);
    if (last?.[0]?.role === message.role && ![...last, message].some(isOfTools)) last.push(message);
    else merged.push([message]);
  }
  return merged.flatMap(([first, ...others]) =>
    first ? { ...first, content: [first, ...others].map(({ content }) => content).join("\n\n") } : [],
  );
}

/** Calls and results stay apart: each has an id. */
const isOfTools = ({ role, toolCalls }: ChatMessage): boolean =>
  role === "tool" || Boolean(toolCalls?.length);

/** Puts the system message into the user message after it. An assistant's greeting may be between them. */
function foldSystem(messages: readonly ChatMessage[]): readonly ChatMessage[] | undefined {
  const [system, ...rest] = messages;
  const at = rest[0]?.role === "assistant" ? 1 : 0;
  const user = rest[at];
  if (system?.role !== "system" || user?.role !== "user") return undefined;
  return rest.with(at, { role: "user", content: `${system.content}\n\n${user.content}` });
}

/** Only if a user message follows: the conversation must have something to answer. */
function dropLeadingAssistant(messages: readonly ChatMessage[]): readonly ChatMessage[] | undefined {
  const at = messages[0]?.role === "system" ? 1 : 0;
  if (messages[at]?.role !== "assistant" || messages[at + 1]?.role !== "user") return undefined;
  return messages.toSpliced(at, 1);
}
