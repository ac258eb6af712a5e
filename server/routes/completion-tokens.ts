// Log-probabilities in the shape of text completions: parallel lists, tokens by their text.
import { setImmediate } from "node:timers/promises";
import type { LikelyToken, Model, ScoreOptions, TokenLogProb } from "../../engine/node.ts";

/** A token of a prompt or an answer with its log-probability. */
export interface Scored {
  readonly text: string;
  /** Unicode characters that it adds to the choice's text: an emoji is one. */
  readonly width: number;
  /** null for the first token of a prompt. */
  readonly logProb: number | null;
  readonly top: Readonly<Record<string, number>> | null;
}

export interface CompletionLogprobs {
  tokens: string[];
  token_logprobs: (number | null)[];
  /** null with `logprobs: 0`; null as an element for the first token of a prompt. */
  top_logprobs: (Readonly<Record<string, number>> | null)[] | null;
  /** Where each token begins in the choice's text, in Unicode characters. */
  text_offset: number[];
}

/** @param offset where the first token begins */
export function completionLogprobs(
  tokens: readonly Scored[],
  count: number,
  offset: number,
): CompletionLogprobs {
  let at = offset;
  return {
    tokens: tokens.map(({ text }) => text),
    token_logprobs: tokens.map(({ logProb }) => logProb),
    top_logprobs: count === 0 ? null : tokens.map(({ top }) => top),
    text_offset: tokens.map(({ width }) => {
      at += width;
      return at - width;
    }),
  };
}

export const scoredAnswer = ({ id, text, logProb, top }: TokenLogProb): Scored => ({
  text: text || named(id),
  width: [...text].length,
  logProb,
  top: byText([...top, { id, text, logProb }]),
});

/** Scores the tokens of a prompt in one pass, with the `topLogProbs` likeliest in the place of each. */
export async function scorePrompt(
  model: Model,
  ids: readonly number[],
  options: ScoreOptions,
): Promise<Scored[]> {
  const texts = await textsOf(ids, await tokenTexts(model));
  const { logProbs = [], top = [] } = ids.length > 1 ? await model.score(ids, options) : {};
  return ids.map((id, i) => {
    const text = texts[i] ?? "";
    const token = { text: text || named(id), width: [...text].length };
    const logProb = logProbs[i - 1];
    if (logProb === undefined) return { ...token, logProb: null, top: null };
    const own = { id, text, logProb };
    // A part of a character keeps the text found above.
    const likely = (top[i - 1] ?? []).map((each) => (each.id === id ? own : each));
    return { ...token, logProb, top: byText([...likely, own]) };
  });
}

type TextOf = (ids: readonly number[]) => Promise<string>;

/** Decodes tokens as a continuation, with their leading space. */
async function tokenTexts(model: Model): Promise<TextOf> {
  const before = (await model.encode("a")).slice(-1);
  const { length } = await model.decode(before);
  return async (ids) => (await model.decode([...before, ...ids])).slice(length);
}

/** How an incomplete character is decoded. */
const PART = "\ufffd";
const MAX_PARTS = 4;

/**
 * The texts of a prompt's tokens. Of the tokens that make one character, the last has the text, the others
 * none.
 */
async function textsOf(ids: readonly number[], textOf: TextOf): Promise<string[]> {
  const texts: string[] = [];
  let parts: number[] = [];
  let begun = "";
  const give = (text: string): void => {
    if (parts.length > 0) texts[texts.length - 1] = text;
    parts = [];
  };
  for (const [i, id] of ids.entries()) {
    // Each takes microseconds; a long prompt must not block other requests.
    if (i % 256 === 255) await setImmediate();
    const text = await textOf([id]);
    if (!text.includes(PART)) {
      give(begun);
      texts.push(text);
      continue;
    }
    texts.push("");
    parts.push(id);
    begun = await textOf(parts);
    if (!begun.endsWith(PART) || parts.length === MAX_PARTS) give(begun);
  }
  give(begun);
  return texts;
}

/**
 * Likeliest first, including the sampled token. Of several with the same text (parts of characters), only the
 * first.
 */
function byText(tokens: readonly Pick<LikelyToken, "id" | "text" | "logProb">[]): Record<string, number> {
  const top: Record<string, number> = {};
  for (const { id, text, logProb } of tokens) top[text || named(id)] ??= logProb;
  return top;
}

/** The name of a token without text, such as one that begins or ends a sequence. */
export const named = (id: number): string => `token_id:${id}`;
