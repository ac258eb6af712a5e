// Mistral's system prompt for guarded answers, from section 5.1 of the paper of Mistral 7B
// (https://arxiv.org/abs/2310.06825). https://docs.mistral.ai/deprecated/safe_prompt says where it goes: in
// front of the messages.
import type { Message } from "../api.ts";

export const SAFE_PROMPT =
  "Always assist with care, respect, and truth. Respond with utmost utility yet securely. Avoid harmful, unethical, prejudiced, or negative content. Ensure replies promote fairness and positivity.";

/**
 * The messages with the prompt as the first system message; a system message that was the first follows it
 * after an empty line, as templates join two of them.
 */
export function withSafePrompt(messages: readonly Message[]): readonly Message[] {
  const [first, ...others] = messages;
  if (first?.role !== "system") return [{ role: "system", content: SAFE_PROMPT }, ...messages];
  return [{ ...first, content: `${SAFE_PROMPT}\n\n${first.content}` }, ...others];
}
