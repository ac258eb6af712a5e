// Checks ids before they are written to the GPU, which reports no error: an id past the embedding would read
// other memory, and an empty list would leave the logits of the pass before.
import { ContextLengthError } from "../errors.ts";
import { outOfRange, shown, wrongType } from "../options/parameter.ts";

/**
 * @param V size of the model's vocabulary; a tokenizer may have more tokens
 * @param parameter the option that the ids were made from: "prompt", "messages"
 * @param textOf gives a token's text for the message
 * @throws RangeError with `parameter` for an empty list, and for ids outside of the vocabulary
 */
export function checkIds(
  ids: readonly number[],
  V: number,
  parameter: string,
  textOf?: (id: number) => string | undefined,
): void {
  if (ids.length === 0)
    throw outOfRange(parameter, "expected at least one token, got none. There is nothing to go on from.");
  checkKnown(ids, V, parameter, textOf);
}

/** As `checkIds`, for lists that may be empty. */
export function checkKnown(
  ids: readonly number[],
  V: number,
  parameter: string,
  textOf?: (id: number) => string | undefined,
): void {
  for (const id of ids) {
    if (Number.isInteger(id) && id >= 0 && id < V) continue;
    const text = Number.isInteger(id) ? textOf?.(id) : undefined;
    const got = text === undefined ? shown(id) : `${id}, the token ${shown(text)}`;
    throw outOfRange(
      parameter,
      `expected token ids from 0 to ${V - 1}, got ${got}. The model has no embedding of it: leave it out.`,
    );
  }
}

/** @throws TypeError with `parameter` for anything but an array of numbers */
export function checkList(ids: readonly number[], parameter: string, expected = "a list of token ids"): void {
  if (!Array.isArray(ids)) throw wrongType(parameter, `expected ${expected}, got ${shown(ids)}.`);
  for (const id of ids)
    if (typeof id !== "number") throw wrongType(parameter, `expected ${expected}, got one of ${shown(id)}.`);
}

/** @throws ContextLengthError */
export function checkLength(ids: readonly number[], contextLength: number): void {
  if (ids.length <= contextLength) return;
  throw new ContextLengthError(
    `tokens: expected at most ${contextLength}, got ${ids.length}. Shorten the text, or load with a larger contextLength.`,
  );
}
