// Answers held to a format, by random picks instead of a model: on the CPU, thousands a minute.
import { readFileSync } from "node:fs";
import { constraintOf } from "../../../engine/structured/constraint.ts";
import type { AnswerFormat } from "../../../engine/types/format.ts";
import { Tokenizer } from "../../../tokenizer/index.ts";
import { randomU32 } from "../../random.ts";

const json = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../weights/tiny-mistral/${name}`, import.meta.url), "utf8"));

export const tokenizer = Tokenizer.from({
  tokenizer: json("tokenizer.json"),
  tokenizerConfig: json("tokenizer_config.json"),
});
export const V = tokenizer.size;
export const END = tokenizer.eosId!;

const CLOSING = new Set(
  Array.from({ length: V }, (_, id) => id).filter(
    (id) => tokenizer.has(id) && /^["\]}]/.test(tokenizer.tokenText(id)),
  ),
);

export interface Walked {
  readonly text: string;
  readonly tokens: number;
  /** Whether the answer ended; otherwise it has `limit` tokens. */
  readonly ended: boolean;
}

/** An answer of random tokens that the format allows. @param leaning the chance to end where it may */
export function walk(
  format: AnswerFormat,
  seed: number,
  { limit = 400, leaning = 0.3, continues = false } = {},
): Walked {
  const next = randomU32(seed);
  const random = () => next() / 2 ** 32;
  const endIds = new Set([END]);
  const constraint = constraintOf(format, { tokenizer, V, endIds, continues })!;
  const text = tokenizer.stream({ continues });
  let written = "";
  let tokens = 0;
  while (!constraint.complete && tokens < limit) {
    const mask = constraint.mask();
    const allowed: number[] = [];
    for (let id = 0; id < V; id++) if ((mask[id >>> 5]! >>> (id & 31)) & 1) allowed.push(id);
    if (allowed.length === 0) throw new Error(`dead end after ${JSON.stringify(written)}`);
    const mayEnd = allowed.includes(END);
    // Quotes and brackets end strings and lists: without them random texts never do.
    const closing = allowed.filter((id) => CLOSING.has(id));
    const pool =
      mayEnd && (random() < leaning || allowed.length === 1)
        ? [END]
        : closing.length > 0 && random() < leaning
          ? closing
          : allowed;
    const id = pool[Math.floor(random() * pool.length)]!;
    constraint.accept(id);
    if (id === END) break;
    written += text.push(id);
    tokens++;
  }
  return { text: written + text.end(), tokens, ended: tokens < limit };
}
