// Whether a request fits the context, before it takes a place in line.
import { HttpError } from "./errors.ts";

/** @throws HttpError 400 with the numbers */
export function checkFit(
  promptTokens: number,
  maxTokens: number | undefined,
  contextLength: number,
  prompt: "messages" | "prompt",
): void {
  // The last token of an answer needs no slot: nothing comes after it.
  const asked = maxTokens ?? 1;
  if (promptTokens + Math.max(0, asked - 1) <= contextLength) return;
  throw new HttpError(
    400,
    `The context holds ${contextLength} tokens, and this request needs more: ${promptTokens} of its prompt` +
      `${maxTokens === undefined ? "" : ` and ${maxTokens} asked for`}. Shorten it, or ask for fewer.`,
    { code: "context_length_exceeded", param: promptTokens > contextLength ? prompt : "max_tokens" },
  );
}
