// Log-probabilities in the shape of text completions: parallel lists, tokens by their text.
import { setImmediate } from "node:timers/promises";
import { likeliest, logSumExp } from "../../engine/answer/log-probs.ts";
import type { LikelyToken, Model, TokenLogProb } from "../../engine/node.ts";

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

/** Scores the tokens of a prompt: one by one with alternatives, in one pass without. */
export async function scorePrompt(
  model: Model,
  ids: readonly number[],
  count: number,
  signal: AbortSignal,
): Promise<Scored[]> {
  const textOf = await tokenTexts(model);
  const plain = count === 0 && ids.length > 1 ? (await model.score(ids, { signal })).logProbs : undefined;
  const scored: Scored[] = [];
  const texts = await textsOf(ids, textOf);
  for (const [i, id] of ids.entries()) {
    const text = texts[i] ?? "";
    const token = { text: text || named(id), width: [...text].length };
    if (i === 0) {
      scored.push({ ...token, logProb: null, top: null });
    } else if (plain) {
      scored.push({ ...token, logProb: plain[i - 1] ?? null, top: null });
    } else {
      signal.throwIfAborted();
      // The tokens before are in the cache, so each call computes one token.
      const logits = await model.logits(ids.slice(0, i), { signal });
      const sum = logSumExp(logits);
      const logProb = (id: number): number => (logits[id] ?? -Infinity) - sum;
      const top = await Promise.all(
        likeliest(logits, count).map(async (each) => ({
          id: each,
          // The token itself keeps the text found above: it is empty for a part of a character.
          text: each === id ? text : await textOf([each]),
          logProb: logProb(each),
        })),
      );
      scored.push({
        ...token,
        logProb: logProb(id),
        top: byText([...top, { id, text, logProb: logProb(id) }]),
      });
    }
  }
  return scored;
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
