// Log-probabilities as text completions have them: lists side by side, tokens by their text.
import { likeliest, logSumExp } from "../engine/log-probs.ts";
import type { LikelyToken, Model, TokenLogProb } from "../engine/node.ts";

/** What is known of one token of prompt or answer. */
export interface Scored {
  readonly text: string;
  /** null: nothing comes before it. */
  readonly logProb: number | null;
  readonly top: Readonly<Record<string, number>> | null;
}

export interface CompletionLogprobs {
  tokens: string[];
  token_logprobs: (number | null)[];
  /** null in place of the list with `logprobs: 0`, and for a first token. */
  top_logprobs: (Readonly<Record<string, number>> | null)[] | null;
  /** Where each token begins in the choice's text. */
  text_offset: number[];
}

/** @param offset where the first of them begins */
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
    text_offset: tokens.map(({ text }) => {
      const begins = at;
      at += text.length;
      return begins;
    }),
  };
}

export const scoredAnswer = ({ id, text, logProb, top }: TokenLogProb): Scored => ({
  text: text || named(id),
  logProb,
  top: byText(top),
});

/** The tokens of a prompt: with alternatives one after another, without in one pass. */
export async function scorePrompt(
  model: Model,
  ids: readonly number[],
  count: number,
  signal: AbortSignal,
): Promise<Scored[]> {
  const text = await tokenTexts(model);
  const scored: Scored[] = [{ text: await text(ids[0] ?? 0), logProb: null, top: null }];
  if (ids.length < 2) return scored;
  const plain = count === 0 ? (await model.score(ids, { signal })).logProbs : undefined;
  for (let i = 1; i < ids.length; i++) {
    const id = ids[i] ?? 0;
    if (plain) {
      scored.push({ text: await text(id), logProb: plain[i - 1] ?? null, top: null });
      continue;
    }
    signal.throwIfAborted();
    // What came before is in the cache: each costs one token.
    const logits = await model.logits(ids.slice(0, i), { signal });
    const sum = logSumExp(logits);
    const logProb = (id: number): number => (logits[id] ?? -Infinity) - sum;
    const top = await Promise.all(
      likeliest(logits, count).map(async (id) => ({ id, text: await text(id), logProb: logProb(id) })),
    );
    scored.push({ text: await text(id), logProb: logProb(id), top: byText(top) });
  }
  return scored;
}

/** The text of a token as it goes on others: with its leading space. */
async function tokenTexts(model: Model): Promise<(id: number) => Promise<string>> {
  const before = (await model.encode("a")).slice(-1);
  const { length } = await model.decode(before);
  return async (id) => (await model.decode([...before, id])).slice(length) || named(id);
}

/** Of two with the same text (parts of characters), the likelier. */
function byText(top: readonly Pick<LikelyToken, "id" | "text" | "logProb">[]): Record<string, number> {
  return Object.fromEntries(
    top.map(({ id, text, logProb }) => [text || named(id), logProb] as const).reverse(),
  );
}

/** A token without a text: one that begins or ends a sequence. */
const named = (id: number): string => `token_id:${id}`;
