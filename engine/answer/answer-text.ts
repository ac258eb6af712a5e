// What an answer's tokens say, until a stop: the text that is certain so far and, where they are asked for, log-probabilities
// of tokens whose texts, joined, are that text.
import type { StreamDecoder } from "../../tokenizer/index.ts";
import type { Chunk, GenerateOptions, LikelyToken, TokenLogProb } from "../api.ts";
import type { Picked } from "../graph/decoder.ts";
import { likelihoods } from "./log-probs.ts";
import { StopStrings } from "./stop-strings.ts";

export interface Piece extends Pick<Chunk, "text" | "ids" | "logProbs"> {
  /** A stop string was met. */
  readonly stopped: boolean;
}

/** A token whose text may still turn out to belong to a stop string. */
interface Held {
  /** undefined for a token that ends the answer: it has no text of its own. */
  readonly own: Uint8Array | undefined;
  /** What it added to the decoder's text. */
  readonly added: string;
  readonly logProb: Omit<TokenLogProb, "text" | "bytes">;
}

export class AnswerText {
  readonly #decoder: StreamDecoder | undefined;
  readonly #stops: StopStrings;
  readonly #top: number | undefined;
  readonly #held: Held[] = [];
  /** Text that no stop can take back, of tokens in `#held`. */
  #certain = "";

  /** @param decoder without one there are ids only */
  constructor(
    decoder: StreamDecoder | undefined,
    { stop, topLogProbs }: Pick<GenerateOptions, "stop" | "topLogProbs">,
  ) {
    this.#decoder = decoder;
    this.#stops = new StopStrings(stop);
    this.#top = topLogProbs;
  }

  /** @param last no token follows, so nothing is held back */
  push(picked: Picked, last: boolean): Piece {
    const { id } = picked;
    const own = this.#bytesOf(id);
    const logProb = this.#logProb(picked);
    // Logits may be padded past the vocabulary: an id that it does not name has no text.
    const text = this.#decoder?.knows(id) ? this.#decoder.push(id) : "";
    return this.#piece(id, logProb && { own, logProb }, text + (last ? this.#rest() : ""), last);
  }

  /** What is left when no token follows. `drawn` is the token that ended the answer, where one did. */
  end(drawn?: Picked): Piece {
    const logProb = drawn && this.#logProb(drawn);
    return this.#piece(undefined, logProb && { own: undefined, logProb }, this.#rest(), true);
  }

  #piece(
    id: number | undefined,
    token: Omit<Held, "added"> | undefined,
    added: string,
    last: boolean,
  ): Piece {
    const shown = this.#stops.push(added);
    const { stopped } = shown;
    const text = last && !stopped ? shown.text + this.#stops.end() : shown.text;
    if (token) this.#held.push({ ...token, added });
    if (this.#top === undefined) return { text, ids: id === undefined ? [] : [id], stopped };
    return { ...this.#release(text, last || stopped), stopped };
  }

  /** The tokens whose whole text is certain; at the end all, with what a stop left of their texts. */
  #release(text: string, all: boolean): Omit<Piece, "stopped"> {
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
    const named = (each: (typeof top)[number]): LikelyToken => {
      const bytes = this.#bytesOf(each.id);
      return { ...each, text: decode(bytes), bytes: [...bytes] };
    };
    return { id, logProb, top: top.map(named) };
  }

  #bytesOf(id: number): Uint8Array {
    return this.#decoder?.bytesHere(id) ?? new Uint8Array();
  }

  /** What the decoder still holds: an unfinished character. */
  #rest(): string {
    return this.#decoder?.end() ?? "";
  }
}

/** Where it is among the likeliest as well, it has the same text there. */
function tokenLogProb({ own, added, logProb }: Held, text: string): TokenLogProb {
  const bytes = bytesIn(own, added, text);
  const top = logProb.top.map((each) => (each.id === logProb.id ? { ...each, text, bytes } : each));
  return { id: logProb.id, logProb: logProb.logProb, text, bytes, top };
}

/** A token's bytes as they are in the answer: a part of a character has bytes, but no text yet. */
function bytesIn(own: Uint8Array | undefined, added: string, text: string): number[] {
  if (!own) return [];
  const alone = decode(own);
  const isWhole = text === added && (alone.includes("\ufffd") || added.endsWith(alone));
  return [...(isWhole ? own : new TextEncoder().encode(text))];
}

const decode = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
