// Turns the tokens of an answer into text, up to a stop string. Text that may still belong to a stop string
// is held back. Log-probabilities come with the text of their tokens: joined, the tokens' texts are the
// answer's text.
import type { StreamDecoder } from "../../tokenizer/index.ts";
import type { Chunk, GenerateOptions, TokenLogProb, ToolCallDelta } from "../api.ts";
import type { Picked } from "../graph/decoder.ts";
import { likelihoods, likelyToken, textAlone } from "./log-probs.ts";
import { StopStrings } from "./stop-strings.ts";
import type { Thinking } from "./thinking.ts";

export interface AnswerPiece extends Pick<Chunk, "text" | "ids" | "logProbs" | "reasoning" | "toolCalls"> {
  /** Whether a stop string was found. */
  readonly stopped: boolean;
}

/** Takes calls of tools out of the text of an answer. */
export interface Calls {
  /** Whether there is one. */
  readonly called: boolean;
  /**
   * @param id the token, or undefined for text at the end of the answer
   * @param last whether nothing follows
   */
  push(
    id: number | undefined,
    added: string,
    last: boolean,
  ): { readonly text: string; readonly toolCalls: readonly ToolCallDelta[] };
}

/** A token whose text may still belong to a stop string. */
interface Held {
  /** The token's bytes; undefined for the token that ends the answer. */
  readonly own: Uint8Array | undefined;
  /** The text that the decoder gave for it. */
  readonly added: string;
  readonly logProb: Omit<TokenLogProb, "text" | "bytes">;
}

export class AnswerText {
  readonly #decoder: StreamDecoder | undefined;
  readonly #stops: StopStrings;
  readonly #thinking: Thinking | undefined;
  readonly #calls: Calls | undefined;
  readonly #top: number | undefined;
  readonly #held: Held[] = [];
  /** Whether what is no thought of the prompt's has begun. */
  #began = false;
  /** Text of the tokens in `#held` that belongs to no stop string. */
  #certain = "";

  /**
   * @param decoder undefined: the answer is ids only
   * @param thinking undefined: thoughts are part of the text
   * @param calls undefined: the answer calls no tools
   */
  constructor(
    decoder: StreamDecoder | undefined,
    { stop, topLogProbs }: Pick<GenerateOptions, "stop" | "topLogProbs">,
    thinking?: Thinking,
    calls?: Calls,
  ) {
    this.#thinking = thinking;
    this.#calls = calls;
    this.#decoder = decoder;
    this.#stops = new StopStrings(stop);
    this.#top = topLogProbs;
  }

  /** Tokens of thoughts so far. */
  get reasoningTokens(): number {
    return this.#thinking?.tokens ?? 0;
  }

  /** Whether the answer called a tool. */
  get called(): boolean {
    return this.#calls?.called ?? false;
  }

  /** @param last whether no token follows: then nothing is held back */
  push(picked: Picked, last: boolean): AnswerPiece {
    const { id } = picked;
    const own = this.#bytesOf(id);
    const logProb = this.#logProb(picked);
    // A model may have more ids than its tokenizer: an unnamed id has no text.
    const text = this.#decoder?.has(id) ? this.#decoder.push(id) : "";
    return this.#piece(id, logProb && { own, logProb }, text + (last ? this.#rest() : ""), last);
  }

  /** The rest of the text, when no token follows. @param drawn the token that ended the answer, if one did */
  end(drawn?: Picked): AnswerPiece {
    const logProb = drawn && this.#logProb(drawn);
    return this.#piece(undefined, logProb && { own: undefined, logProb }, this.#rest(), true);
  }

  #piece(
    id: number | undefined,
    token: Omit<Held, "added"> | undefined,
    added: string,
    last: boolean,
  ): AnswerPiece {
    const { reasoning, text: said, toolCalls } = this.#parts(id, added, last);
    const shown = this.#stops.push(said);
    const { stopped } = shown;
    const text = last && !stopped ? shown.text + this.#stops.end() : shown.text;
    if (token) this.#held.push({ ...token, added: said });
    const thought = { ...(reasoning !== "" && { reasoning }), ...(toolCalls.length > 0 && { toolCalls }) };
    if (this.#top === undefined) return { text, ids: id === undefined ? [] : [id], stopped, ...thought };
    return { ...this.#release(text, last || stopped), stopped, ...thought };
  }

  /** A call is no part of the text, unless it is in a thought that the prompt has opened. */
  #parts(
    id: number | undefined,
    added: string,
    last: boolean,
  ): { reasoning: string; text: string; toolCalls: readonly ToolCallDelta[] } {
    const thinking = this.#thinking;
    if (this.#calls && thinking?.hasThought === false && !this.#began) {
      const { reasoning, text } = thinking.push(id, added, last);
      this.#began = thinking.hasThought;
      return { reasoning, ...this.#calls.push(undefined, text, last) };
    }
    this.#began = true;
    const { text: free, toolCalls } = this.#calls?.push(id, added, last) ?? { text: added, toolCalls: [] };
    return { ...(thinking?.push(id, free, last) ?? { reasoning: "", text: free }), toolCalls };
  }

  /**
   * Takes the tokens whose whole text is certain; at the end all of them, with their text up to the stop
   * string.
   */
  #release(text: string, all: boolean): Omit<AnswerPiece, "stopped"> {
    this.#certain += text;
    const whole = all ? this.#certain : "";
    const ids: number[] = [];
    const logProbs: TokenLogProb[] = [];
    for (let token = this.#held[0]; token; token = this.#held[0]) {
      if (!all && token.added.length > this.#certain.length) break;
      this.#held.shift();
      const part = this.#certain.slice(0, token.added.length);
      this.#certain = this.#certain.slice(part.length);
      if (token.own) ids.push(token.logProb.id);
      logProbs.push(tokenLogProb(token, part));
    }
    return { text: all ? whole : logProbs.map((each) => each.text).join(""), ids, logProbs };
  }

  #logProb({ id, logits }: Picked): Held["logProb"] | undefined {
    if (!logits || this.#top === undefined) return undefined;
    const { logProb, top } = likelihoods(id, logits, this.#top);
    return { id, logProb, top: top.map((each) => likelyToken(each, this.#decoder)) };
  }

  #bytesOf(id: number): Uint8Array {
    return this.#decoder?.bytesHere(id) ?? new Uint8Array();
  }

  /** The decoder's unfinished character. */
  #rest(): string {
    return this.#decoder?.end() ?? "";
  }
}

/** If the token is also among its likeliest, it has the same text there. */
function tokenLogProb({ own, added, logProb }: Held, text: string): TokenLogProb {
  const bytes = bytesIn(own, added, text);
  const top = logProb.top.map((each) => (each.id === logProb.id ? { ...each, text, bytes } : each));
  return { id: logProb.id, logProb: logProb.logProb, text, bytes, top };
}

/** The token's bytes in the answer. A part of a character has bytes, but no text yet. */
function bytesIn(own: Uint8Array | undefined, added: string, text: string): number[] {
  if (!own) return [];
  const alone = textAlone(own);
  const isWhole = text === added && (alone.includes("\ufffd") || added.endsWith(alone));
  return [...(isWhole ? own : new TextEncoder().encode(text))];
}
