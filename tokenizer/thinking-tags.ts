// Tags between which a model thinks before it answers.
import type { Tokenizer } from "./tokenizer.ts";

export interface ThinkingTags {
  readonly open: string;
  readonly close: string;
  /** Ids of the tags, if both are tokens of their own. Otherwise the model spells them. */
  readonly ids: readonly [open: number, close: number] | undefined;
}

/** Qwen3, SmolLM3 and DeepSeek R1; Magistral and Ministral. */
const KNOWN = [
  ["<think>", "</think>"],
  ["[THINK]", "[/THINK]"],
] as const;

/** @returns the tags that are tokens or stand in the chat template; undefined if there are none */
export function thinkingTags({
  addedTokens,
  chatTemplate = "",
}: Pick<Tokenizer, "addedTokens" | "chatTemplate">): ThinkingTags | undefined {
  for (const [open, close] of KNOWN) {
    const [first, last] = [open, close].map((tag) => addedTokens.find(({ content }) => content === tag)?.id);
    const ids = first !== undefined && last !== undefined ? ([first, last] as const) : undefined;
    if (ids || chatTemplate.includes(close)) return { open, close, ids };
  }
  return undefined;
}
