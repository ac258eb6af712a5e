// Which turns of a conversation an answer sees, when the context cannot hold them all.

/**
 * The oldest turns are left out, by question, with all that answers it. Some more than needed: each change
 * of the beginning makes the model read the rest again.
 *
 * @param questions the turns with a question, by index; the first is 0
 * @param before how many were left out for the last answer
 * @param room tokens of the context that the prompt can have
 * @param tokens of the prompt without its first turns, in all
 * @returns the number of turns that are left out; 0 if they all fit, and if not even the last one does
 */
export async function turnsLeftOut(
  questions: readonly number[],
  before: number,
  room: number,
  tokens: (leftOut: number) => Promise<number>,
): Promise<number> {
  if ((await tokens(0)) <= room) return 0;
  if (before > 0 && questions.includes(before) && (await tokens(before)) <= room) return before;
  const at = (index: number): number => questions[index] ?? 0;
  const most = questions.length - 1;
  // A prompt is shorter the more is left out.
  const later = questions.findIndex((question) => question > before);
  let [low, high] = [later === -1 ? most : later, most];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((await tokens(at(middle))) <= 0.75 * room) high = middle;
    else low = middle + 1;
  }
  const leftOut = at(low);
  return (await tokens(leftOut)) <= room ? leftOut : 0;
}

/**
 * What to leave out if only a server can tell whether it is enough: half of the questions that are left.
 *
 * @param leftOut what was too little
 * @returns undefined if only the last question is left
 */
export function moreLeftOut(questions: readonly number[], leftOut: number): number | undefined {
  const later = questions.filter((question) => question > leftOut);
  return later[(later.length - 1) >> 1];
}

/** Tokens that a prompt can have, so that the answer finds room too: all that it may take, or a quarter. */
export const promptRoom = (contextLength: number, maxTokens: number): number =>
  contextLength - Math.min(maxTokens, contextLength >> 2);
