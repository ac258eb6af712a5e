// Tells what a model thinks between its tags from what it answers.
import type { Tokenizer } from "../../tokenizer/index.ts";
import { type ThinkingTags, thinkingTags } from "../../tokenizer/thinking-tags.ts";
import type { Message } from "../api.ts";
import { overlap } from "./stop-strings.ts";

/** Tokens at the end of a prompt in which a tag is looked for. A spelled tag takes up to seven. */
const TAIL = 16;

/** Text that is certain to be thought, or part of the answer. */
interface Parts {
  readonly reasoning: string;
  readonly text: string;
}

/**
 * Splits the text of an answer as it arrives. White space around the tags belongs to neither part. The first
 * closing tag ends the thought. A tag that is a token counts wherever it is; one that the model spells opens
 * a thought at the beginning of the answer only.
 */
export class Thinking {
  readonly #tags: ThinkingTags;
  /** Whether text after the thought is the answer as it is, with any white space and tags in it. */
  readonly #exact: boolean;
  #state: "start" | "reasoning" | "text";
  /** Text that may belong to a tag, or is white space at an end. */
  #held = "";
  /** Whether white space is left out until other text comes. */
  #trims: boolean;
  /** Tokens of thoughts, with their tags. */
  tokens = 0;

  /**
   * @param state `reasoning` if the prompt has opened the tag; `text`: no spelled tag is looked for
   * @param exact whether the answer has a format: what follows the token of the closing tag is left as it is
   */
  constructor(tags: ThinkingTags, state: "start" | "reasoning" | "text", exact = false) {
    this.#tags = tags;
    this.#state = state;
    this.#exact = exact;
    this.#trims = state === "reasoning";
  }

  /** Whether the answer has begun, or may have. */
  get hasThought(): boolean {
    return this.#state !== "reasoning";
  }

  /** The closing tag, if the model spells it. */
  get spelledClose(): string | undefined {
    return this.#tags.ids ? undefined : this.#tags.close;
  }

  /**
   * @param id the token, or undefined for text at the end of the answer
   * @param last whether nothing follows: then nothing is held back
   */
  push(id: number | undefined, added: string, last: boolean): Parts {
    const before = this.#state;
    if (this.#exact && before === "text") return { reasoning: "", text: added };
    const parts = this.#tags.ids ? this.#byToken(id, added, this.#tags.ids) : this.#bySpelling(added);
    if (id !== undefined && (before === "reasoning" || this.#state === "reasoning")) this.tokens++;
    if (!last) return parts;
    const rest = this.#held;
    this.#held = "";
    // In a thought it may be a tag that is cut off, which is text, or white space.
    if (this.#state === "reasoning") return { ...parts, reasoning: parts.reasoning + rest.trimEnd() };
    return { ...parts, text: parts.text + rest };
  }

  #byToken(id: number | undefined, added: string, [open, close]: readonly [number, number]): Parts {
    const thinks = this.#state === "reasoning";
    if (id === undefined || id !== (thinks ? close : open)) return this.#take(added);
    // The tag has no text if it is a special token.
    const tag = thinks ? this.#tags.close : this.#tags.open;
    const parts = this.#take(added.endsWith(tag) ? added.slice(0, -tag.length) : added);
    this.#enter(thinks ? "text" : "reasoning");
    return parts;
  }

  #bySpelling(added: string): Parts {
    const { open, close } = this.#tags;
    const all = this.#held + added;
    if (this.#state === "start") {
      const shown = all.trimStart();
      if (open.startsWith(shown)) return this.#hold(all);
      if (!shown.startsWith(open)) return this.#release(all);
      this.#enter("reasoning");
      return this.#bySpelling(shown.slice(open.length));
    }
    const at = this.#state === "reasoning" ? all.indexOf(close) : -1;
    if (at < 0) return this.#take(added);
    const thought = all.slice(0, at).trimEnd();
    const reasoning = this.#trims ? thought.trimStart() : thought;
    this.#enter("text");
    const rest = all.slice(at + close.length);
    return { reasoning, text: this.#exact ? rest.trimStart() : this.#take(rest).text };
  }

  /** Text that holds no whole tag. */
  #take(added: string): Parts {
    const all = this.#held + added;
    if (this.#trims && all.trimStart() === "") return { reasoning: "", text: "" };
    if (this.#state === "start") return all.trimStart() === "" ? this.#hold(all) : this.#release(all);
    const shown = this.#trims ? all.trimStart() : all;
    this.#trims = false;
    this.#held = "";
    if (this.#state === "text") return { reasoning: "", text: shown };
    const certain = this.#tags.ids ? shown.length : shown.length - overlap(shown, this.#tags.close);
    const end = shown.slice(0, certain).trimEnd().length;
    this.#held = shown.slice(end);
    return { reasoning: shown.slice(0, end), text: "" };
  }

  /** White space at the end of a thought is dropped. */
  #enter(state: "reasoning" | "text"): void {
    this.#state = state;
    this.#held = "";
    this.#trims = !this.#exact || state === "reasoning";
  }

  #hold(all: string): Parts {
    this.#held = all;
    return { reasoning: "", text: "" };
  }

  #release(text: string): Parts {
    this.#state = "text";
    this.#held = "";
    return { reasoning: "", text };
  }
}

/**
 * For an answer to a prompt.
 * @param continues whether it continues the text of an answer
 * @param exact whether the answer has a format: then it begins with a thought only if the prompt has opened
 * one
 * @returns undefined if the model has no tags, or does not think
 */
export function thinkingAfter(
  ids: readonly number[],
  tokenizer: Tokenizer,
  continues: boolean,
  exact = false,
): Thinking | undefined {
  const tags = thinkingTags(tokenizer);
  if (!tags) return undefined;
  const tail = ids.slice(-TAIL).filter((id) => tokenizer.has(id));
  const end = tokenizer.decode(tail, { skipSpecial: false, continues: true }).trimEnd();
  if (end.endsWith(tags.open)) return new Thinking(tags, "reasoning", exact);
  return exact ? undefined : new Thinking(tags, continues ? "text" : "start");
}

/**
 * Moves what earlier answers thought from their contents into `reasoning`, which only templates that ask for
 * it send again.
 * @param last whether the last message is continued: it stays as it is
 */
export function withThoughtsApart(
  messages: readonly Message[],
  tokenizer: Pick<Tokenizer, "addedTokens" | "chatTemplate">,
  last: boolean,
): readonly Message[] {
  const tags = thinkingTags(tokenizer);
  if (!tags) return messages;
  const { open, close } = tags;
  return messages.map((message, i) => {
    const shown = message.content.trimStart();
    const end = shown.indexOf(close);
    const stays = message.role !== "assistant" || (last && i === messages.length - 1);
    if (stays || end < 0 || !shown.startsWith(open)) return message;
    const reasoning = message.reasoning ?? shown.slice(open.length, end).trim();
    return { ...message, content: shown.slice(end + close.length).trimStart(), reasoning };
  });
}
