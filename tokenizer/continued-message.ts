// Where a conversation ends that the model shall go on with in the assistant's last message.
import type { ChatMessage } from "./chat-message.ts";
import { ChatTemplateError } from "./errors.ts";

export interface MarkedConversation {
  readonly messages: readonly ChatMessage[];
  readonly content: string;
  /** Stands after the last message, before a blank that shows whether the template takes blanks away. */
  readonly mark: string;
}

/** The conversation with a mark at its end that stands in no message and not in the template. */
export function markLastMessage(messages: readonly ChatMessage[], template: string): MarkedConversation {
  const { role, content } = messages.at(-1) as ChatMessage;
  const used = (character: string): boolean =>
    template.includes(character) || messages.some((message) => message.content.includes(character));
  let code = 0xf8ff;
  while (code > 0xe000 && used(String.fromCharCode(code))) code--;
  const mark = String.fromCharCode(code);
  return { messages: messages.with(-1, { role, content: `${content}${mark} ` }), content, mark };
}

/** The text up to the mark; an error unless the message stands before it as it is, or without the blanks around it. */
export function cutAfterLastMessage(text: string, { content, mark }: MarkedConversation): string {
  const at = text.lastIndexOf(mark);
  const shown = at >= 0 && text.indexOf(mark) === at ? text.slice(0, at) : undefined;
  if (shown?.endsWith(content.trimStart())) {
    return text[at + 1] === " " ? shown : shown.trimEnd();
  }
  throw new ChatTemplateError(
    "chat: expected a template that shows the last message as it is, so that it can be continued, got one that changes, repeats or hides it. Do not ask to continue it, or use generate.",
  );
}
