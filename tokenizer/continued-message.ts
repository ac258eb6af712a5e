// Finds the end of the assistant's last message in a rendered conversation, so that it can be continued.
import type { ChatMessage } from "./chat-message.ts";
import { ChatTemplateError } from "./errors.ts";

export interface MarkedConversation {
  readonly messages: readonly ChatMessage[];
  readonly content: string;
  /** Follows the last message. A space after it shows whether the template trims messages. */
  readonly mark: string;
}

/** Adds a mark to the last message: a character that no message and not the template contains. */
export function markLastMessage(messages: readonly ChatMessage[], template: string): MarkedConversation {
  const last = messages.at(-1) as ChatMessage;
  const { content } = last;
  const used = (character: string): boolean =>
    template.includes(character) || messages.some((message) => message.content.includes(character));
  let code = 0xf8ff;
  while (code > 0xe000 && used(String.fromCharCode(code))) code--;
  const mark = String.fromCharCode(code);
  return { messages: messages.with(-1, { ...last, content: `${content}${mark} ` }), content, mark };
}

/**
 * Cuts the rendered text at the mark.
 * @throws ChatTemplateError unless the message precedes it, perhaps trimmed
 */
export function cutAfterLastMessage(text: string, { content, mark }: MarkedConversation): string {
  const at = text.lastIndexOf(mark);
  const shown = at >= 0 && text.indexOf(mark) === at ? text.slice(0, at) : undefined;
  if (shown?.endsWith(content.trimStart())) {
    return text[at + 1] === " " ? shown : shown.trimEnd();
  }
  throw new ChatTemplateError(
    "chat: expected a template that shows the last message unchanged, so that it can be continued, got one that changes, repeats or hides it. Do not ask to continue it, or use generate.",
    { code: "refused-messages" },
  );
}
