// A conversation and its tools as the variables that chat templates read, under the names of transformers.
import type { ChatMessage, ChatTool, ChatToolCall } from "./chat-message.ts";
import { ChatTemplateError } from "./errors.ts";
import { nineCharacterId } from "./tool-ids.ts";

type Variables = Readonly<Record<string, unknown>>;

/** @param source of the template */
export function messageVariables(messages: readonly ChatMessage[], source: string): readonly Variables[] {
  const idOf = source.includes("[TOOL_CALLS]") ? nineCharacterId : (id: string) => id;
  // Most templates take arguments as an object; those that ask whether they are a text put it down as it is.
  const takesText = /arguments\s+is\s+(not\s+)?string/.test(source);
  const names = new Map(
    messages.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id, name }) => [id, name] as const)),
  );
  const callOf = ({ id, name, arguments: text }: ChatToolCall): Variables => ({
    id: idOf(id),
    type: "function",
    function: { name, arguments: takesText ? text || "{}" : JSON.parse(text || "{}") },
  });
  return messages.map(({ role, content, reasoning, toolCalls, toolCallId, name }) => {
    const tool = name ?? names.get(toolCallId ?? "");
    return {
      ...{ role, content },
      ...(reasoning !== undefined && { reasoning_content: reasoning }),
      ...(toolCalls?.length && { tool_calls: toolCalls.map(callOf) }),
      ...(toolCallId !== undefined && { tool_call_id: idOf(toolCallId) }),
      ...(role === "tool" && tool !== undefined && { name: tool }),
    };
  });
}

/** transformers passes null when there are none. */
export function toolVariables(tools: readonly ChatTool[] | undefined): readonly Variables[] | null {
  if (!tools?.length) return null;
  return tools.map(({ name, description, parameters = { type: "object", properties: {} } }) => ({
    type: "function",
    function: { name, ...(description !== undefined && { description }), parameters },
  }));
}

/** Whether a template shows tools to the model. */
export const showsTools = (source: string): boolean => /\btools\b/.test(source);

/** @throws ChatTemplateError if the template would leave tools, calls or results out without a word */
export function checkTools(
  messages: readonly ChatMessage[],
  tools: readonly ChatTool[] | undefined,
  source: string,
): void {
  const got =
    tools?.length && !showsTools(source)
      ? "tools"
      : messages.some(({ role, toolCalls }) => role === "tool" || toolCalls?.length) &&
          !source.includes("tool")
        ? "calls of tools"
        : undefined;
  if (!got) return;
  throw new ChatTemplateError(
    `chat: expected no ${got} for a model whose chat template knows no tools, got some. Leave them out, or load a model that was trained for tools.`,
    { code: "refused-messages" },
  );
}
