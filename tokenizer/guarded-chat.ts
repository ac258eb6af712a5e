// Hides the spelling of control tokens in all texts of a conversation: those of messages, calls and tools.
import type { ChatMessage, ChatTool } from "./chat-message.ts";
import type { ContentGuard } from "./content-guard.ts";

export interface Conversation {
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly ChatTool[] | undefined;
}

/** All texts of a conversation in which control tokens are hidden. */
export function textsOf({ messages, tools }: Conversation): string[] {
  const texts = messages.flatMap(
    ({ content, reasoning = "", toolCalls = [], name = "", toolCallId = "" }) => [
      ...[String(content), reasoning, name, toolCallId],
      ...toolCalls.flatMap((call) => [call.id, call.name, call.arguments]),
    ],
  );
  return tools?.length ? [...texts, JSON.stringify(tools)] : texts;
}

export function* hideAll(
  { messages, tools }: Conversation,
  guard: ContentGuard,
): Generator<undefined, Conversation> {
  const hidden: ChatMessage[] = [];
  for (const { role, ...texts } of messages)
    hidden.push({ role, ...((yield* hideIn(texts, guard)) as typeof texts) });
  return { messages: hidden, tools: tools && ((yield* hideIn(tools, guard)) as readonly ChatTool[]) };
}

/** The same value with `hide` on each of its texts, and on the names of its members. */
function* hideIn(value: unknown, guard: ContentGuard): Generator<undefined, unknown> {
  if (typeof value === "string") return yield* guard.hide(value);
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) items.push(yield* hideIn(item, guard));
    return items;
  }
  if (typeof value !== "object" || value === null) return value;
  const members: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value))
    members.push([yield* guard.hide(name), yield* hideIn(member, guard)]);
  return Object.fromEntries(members);
}
