// A regular expression as a machine over bytes: Thompson's automaton (1968), made deterministic as its states
// are met.
import type { Machine } from "../machine.ts";
import { utf8Ranges } from "./character-set.ts";
import { type Expression, parseRegex } from "./parse.ts";

/** Nodes of the automaton, at most: repetitions in repetitions multiply. */
const MAX_NODES = 100_000;
/** States that are kept to be met again. */
const MAX_STATES = 4096;

interface Node {
  /** Bytes that lead on; without them, a step that takes none. */
  readonly from: number;
  readonly to: number;
  readonly next: number[];
}

/** Nodes that the text so far may have reached, and the states that one more byte leads to. */
export interface RegexState {
  readonly key: string;
  readonly nodes: readonly number[];
  readonly next: (RegexState | undefined)[];
}

const END = 0;

/**
 * The texts that match as a whole.
 * @throws SyntaxError
 */
export function regexMachine(source: string): Machine<RegexState> {
  const automaton = new Automaton();
  const start = automaton.add(parseRegex(source), END);
  const states = new Map<string, RegexState>();
  const stateOf = (nodes: readonly number[]): RegexState => {
    const key = nodes.join();
    let state = states.get(key);
    if (!state) {
      state = { key, nodes, next: [] };
      if (states.size >= MAX_STATES) states.clear();
      states.set(key, state);
    }
    return state;
  };
  return {
    initial: stateOf(automaton.reached([start])),
    transition(state, byte) {
      let next = state.next[byte];
      if (!next) {
        next = stateOf(automaton.after(state.nodes, byte));
        state.next[byte] = next;
      }
      return next;
    },
    viable: ({ nodes }) => nodes.length > 0,
    accepting: ({ nodes }) => nodes[0] === END,
    maskKey: ({ key }) => key,
  };
}

class Automaton {
  /** Number 0 is the end. */
  readonly #nodes: Node[] = [{ from: 1, to: 0, next: [] }];

  /** Adds nodes for an expression that goes on to `next`. @returns where it begins */
  add(expression: Expression, next: number): number {
    switch (expression.kind) {
      case "set":
        return this.#fork(
          utf8Ranges(expression.set).map((bytes) =>
            bytes.reduceRight((after, [from, to]) => this.#push({ from, to, next: [after] }), next),
          ),
        );
      case "sequence":
        return expression.parts.reduceRight((after, part) => this.add(part, after), next);
      case "choice":
        return this.#fork(expression.options.map((option) => this.add(option, next)));
      case "repeat":
        return this.#repeat(expression, next);
    }
  }

  #repeat({ part, least, most }: Extract<Expression, { kind: "repeat" }>, next: number): number {
    let start = next;
    if (most === Infinity) {
      const loop = this.#fork([next]);
      this.#nodes[loop]!.next.push(this.add(part, loop));
      start = loop;
    } else for (let i = least; i < most; i++) start = this.#fork([next, this.add(part, start)]);
    for (let i = 0; i < least; i++) start = this.add(part, start);
    return start;
  }

  #fork(next: number[]): number {
    return this.#push({ from: 1, to: 0, next });
  }

  #push(node: Node): number {
    if (this.#nodes.length >= MAX_NODES)
      throw new SyntaxError(`expected at most ${MAX_NODES} steps, got more. Repeat less.`);
    return this.#nodes.push(node) - 1;
  }

  after(nodes: readonly number[], byte: number): readonly number[] {
    return this.reached(
      nodes.flatMap((node) => {
        const { from, to, next } = this.#nodes[node]!;
        return byte >= from && byte <= to ? next : [];
      }),
    );
  }

  /** The nodes that take a byte, and the end, which are reached from these without one; in order. */
  reached(starts: readonly number[]): readonly number[] {
    const seen = new Set<number>();
    const left = [...starts];
    const found: number[] = [];
    for (let node = left.pop(); node !== undefined; node = left.pop()) {
      if (seen.has(node)) continue;
      seen.add(node);
      const { from, to, next } = this.#nodes[node]!;
      if (node === END || from <= to) found.push(node);
      else for (const each of next) left.push(each);
    }
    return found.sort((a, b) => a - b);
  }
}
