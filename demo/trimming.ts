// Which turns of a conversation an answer sees, when the context cannot hold them all.

/**
 * The oldest turns are left out, by question and answer. Some more than needed: each change of the beginning
 * makes the model read the rest again.
 *
 * @param turns their number; the last is a question
 * @param before how many were left out for the last answer
 * @param room tokens of the context that the prompt can have
 * @param tokens of the prompt without its first turns, in all
 * @returns the number of turns that are left out; 0 if they all fit, and if not even the last one does
 */
export async function turnsLeftOut(
  turns: number,
  before: number,
  room: number,
  tokens: (leftOut: number) => Promise<number>,
): Promise<number> {
  if ((await tokens(0)) <= room) return 0;
  if (before > 0 && before < turns && (await tokens(before)) <= room) return before;
  const most = (turns - 1) >> 1;
  // A prompt is shorter the more is left out.
  let [low, high] = [Math.min(most, (before >> 1) + 1), most];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((await tokens(2 * middle)) <= 0.75 * room) high = middle;
    else low = middle + 1;
  }
  const leftOut = 2 * low;
  return (await tokens(leftOut)) <= room ? leftOut : 0;
}

/** Tokens that a prompt can have, so that the answer finds room too: all that it may take, or a quarter. */
export const promptRoom = (contextLength: number, maxTokens: number): number =>
  contextLength - Math.min(maxTokens, contextLength >> 2);
