// A grammar as a machine that reads bytes: its states are the sets of all places where the text may be in the
// grammar, made as they are met (the subset construction, lazily).
import { outOfRange } from "../options/parameter.ts";
import type { Grammar } from "./grammar.ts";
import { nodesOf } from "./nodes.ts";
import { type Frame, type Place, pairKey, Reader } from "./reader.ts";
import type { Utf8Node } from "./utf8-tree.ts";

/** States and frames that are kept to be met again. */
const MAX_STATES = 4096;
const MAX_FRAMES = 100_000;
/** Places of one state, at most: a grammar that may be read in more ways at once is refused. */
const MAX_PLACES = 4096;

/** Inside a character: the bytes that may follow, and where it goes on then. */
interface BytePlace {
  readonly bytes: Utf8Node;
  readonly after: Frame | undefined;
}

/** Where a text may be in the grammar. States are values: a reader may keep as many as it likes. */
export interface State {
  readonly id: number;
  readonly places: readonly BytePlace[];
  /** Whether the text may end here. */
  readonly isEnd: boolean;
  /** By byte; null: no text goes on so. undefined: not met yet. */
  readonly next: (State | null | undefined)[];
  /** The state that allows the same bytes, up to a number of them. */
  capped: State | undefined;
}

export class Machine {
  readonly initial: State;
  readonly #reader = new Reader();
  #states = new Map<string, State>();
  #lastId = 0;

  /**
   * @throws SyntaxError for a grammar without a text, a name without a rule, a rule that begins with itself
   */
  constructor(grammar: Grammar) {
    const start = nodesOf(grammar);
    if (!start) throw new SyntaxError("expected at least one text that it allows, got none. Loosen it.");
    const { places, isEnd } = this.#reader.start(start);
    this.initial = this.#state(places.map(bytePlace), isEnd);
  }

  /** @returns null if no text of the grammar goes on so */
  transition(state: State, byte: number): State | null {
    let next = state.next[byte];
    if (next === undefined) {
      next = this.#after(state, byte);
      state.next[byte] = next;
    }
    return next;
  }

  /**
   * The state that stands for all which allow the same next `most` bytes: counts above make no difference.
   * @param most the same in all calls
   */
  capped(state: State, most: number): State {
    if (state.capped) return state.capped;
    const places = state.places.map(({ bytes, after }) => ({ bytes, after: this.#cap(after, most) }));
    state.capped = places.every(({ after }, i) => after === state.places[i]!.after)
      ? state
      : this.#state(places, state.isEnd);
    return state.capped;
  }

  #cap(frame: Frame | undefined, most: number): Frame | undefined {
    const chain: Frame[] = [];
    for (let each = frame; each; each = each.below) chain.push(each);
    let capped: Frame | undefined;
    for (const { node, next, most: count } of chain.reverse()) {
      const isCount = node.kind === "repeat";
      capped = this.#reader.frame(
        node,
        isCount ? Math.min(next, most + 1) : next,
        isCount && count > most ? Number.POSITIVE_INFINITY : count,
        capped,
      );
    }
    return capped;
  }

  #after(state: State, byte: number): State | null {
    const inside: BytePlace[] = [];
    const ended = new Set<Frame | undefined>();
    for (const { bytes, after } of state.places) {
      for (const [from, to, then] of bytes.ranges) {
        if (byte < from || byte > to) continue;
        if (then) inside.push({ bytes: then, after });
        else ended.add(after);
      }
    }
    if (inside.length === 0 && ended.size === 0) return null;
    const { places, isEnd } = this.#reader.after(ended);
    return this.#state([...inside, ...places.map(bytePlace)], isEnd);
  }

  #state(found: readonly BytePlace[], isEnd: boolean): State {
    const keyed = new Map(found.map((place) => [pairKey(place.bytes.id, place.after), place]));
    if (keyed.size > MAX_PLACES)
      throw outOfRange(
        "format",
        `expected texts that can be read in at most ${MAX_PLACES} ways at once, got more. Make it less ambiguous.`,
      );
    const key = `${isEnd} ${Float64Array.from(keyed.keys()).sort().join()}`;
    let state = this.#states.get(key);
    if (!state) {
      if (this.#states.size >= MAX_STATES || this.#reader.size >= MAX_FRAMES) this.#forget();
      const next = new Array<State | null | undefined>(256).fill(undefined);
      state = { id: ++this.#lastId, places: [...keyed.values()], isEnd, next, capped: undefined };
      this.#states.set(key, state);
    }
    return state;
  }

  /** States that are in use go on: they are made anew where they are met again. */
  #forget(): void {
    for (const state of this.#states.values()) state.next.fill(undefined);
    this.#states.clear();
    this.#reader.forget();
  }
}

const bytePlace = ({ node, after }: Place): BytePlace => ({ bytes: node.bytes, after });
