import type { ChatMessage } from "./chat-message.ts";

export interface RoleOrder {
  readonly messages: readonly ChatMessage[];
  /** Whether the assistant's message that the conversation begins with was left out. */
  readonly dropsAssistant: boolean;
}

export const droppedAssistant =
  "chat: the chat template takes no assistant's message before the first user's, so that message was left out.";

/**
 * The conversation as given, then as templates that refuse it may take it, each step only where it changes something.
 * Nothing is lost but an assistant's message at the beginning, and that only in the last two.
 *
 * 1. Messages of one role in a row become one, with an empty line between: also several system messages.
 * 2. The system message goes before the first user's message, with an empty line between, as Mistral's own tokenizer
 *    library does it.
 * 3. An assistant's message before the first user's is dropped; then 2 once more.
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
  const merged: { role: ChatMessage["role"]; contents: string[] }[] = [];
  for (const { role, content } of messages) {
    const last = merged.at(-1);
    if (last?.role === role) last.contents.push(content);
    else merged.push({ role, contents: [content] });
  }
  return merged.map(({ role, contents }) => ({ role, content: contents.join("\n\n") }));
}

/** The system message written before the user message that comes next, or after an assistant's greeting. */
function foldSystem(messages: readonly ChatMessage[]): readonly ChatMessage[] | undefined {
  const [system, ...rest] = messages;
  const at = rest[0]?.role === "assistant" ? 1 : 0;
  const user = rest[at];
  if (system?.role !== "system" || user?.role !== "user") return undefined;
  return rest.with(at, { role: "user", content: `${system.content}\n\n${user.content}` });
}

/** Only where a user's message follows: the conversation must have something to answer. */
function dropLeadingAssistant(messages: readonly ChatMessage[]): readonly ChatMessage[] | undefined {
  const at = messages[0]?.role === "system" ? 1 : 0;
  if (messages[at]?.role !== "assistant" || messages[at + 1]?.role !== "user") return undefined;
  return messages.toSpliced(at, 1);
}
