// The texts that belong to two languages at once, as rules: one for each pair of places that a text may be at
// in both (the product construction). Both must be regular: recursion that nests has no end of places.
import { type CharacterSet, has, union } from "./character-set.ts";
import { choice, EMPTY, type Expression, type Grammar, rule, sequence, set } from "./grammar.ts";
import { type Node, nodesOf } from "./nodes.ts";
import { type Frame, type Places, Reader } from "./reader.ts";

/** Pairs of places, at most. */
const MAX_PAIRS = 5000;
/** Places that are looked at for all pairs, at most: those of a pair may be as many as the pairs. */
const MAX_LOOKS = 300_000;

/**
 * @param prefix of the names of its rules
 * @throws SyntaxError if there are too many pairs
 */
export function intersect(a: Grammar, b: Grammar, prefix: string): Grammar {
  const sides = [new Side(a), new Side(b)] as const;
  const rules = new Map<string, Expression>();
  const names = new Map<string, string>();
  const waiting: [Places, Places][] = [];
  let looks = 0;
  const tooMany = () =>
    new SyntaxError(
      "expected fewer conditions on one text, got too many to hold to at once. Leave some out.",
    );
  const nameOf = (pair: [Places, Places]): string => {
    const key = pair.map(keyOf).join(" & ");
    let name = names.get(key);
    if (name === undefined) {
      if (names.size >= MAX_PAIRS) throw tooMany();
      name = `${prefix}&${names.size}`;
      names.set(key, name);
      waiting.push(pair);
    }
    return name;
  };
  const start = rule(nameOf([sides[0].start, sides[1].start]));
  for (let pair = waiting.pop(); pair; pair = waiting.pop()) {
    const [left, right] = pair;
    const next = new Map<string, CharacterSet>();
    for (const [from, to] of pieces([left, right])) {
      looks += left.places.length + right.places.length;
      if (looks > MAX_LOOKS) throw tooMany();
      const after = [sides[0].after(left, from), sides[1].after(right, from)] as [Places, Places];
      if (after.some(({ places, isEnd }) => places.length === 0 && !isEnd)) continue;
      const name = nameOf(after);
      next.set(name, union(next.get(name) ?? [], [[from, to]]));
    }
    const options = [...next].map(([name, characters]) => sequence(set(characters), rule(name)));
    rules.set(nameOf(pair), choice(...options, ...(left.isEnd && right.isEnd ? [EMPTY] : [])));
  }
  return { start, rules };
}

class Side {
  readonly start: Places;
  readonly #reader = new Reader();

  constructor(grammar: Grammar) {
    const node: Node | undefined = nodesOf(grammar);
    this.start = node ? this.#reader.start(node) : { places: [], isEnd: false };
  }

  after({ places }: Places, character: number): Places {
    const ended = new Set<Frame | undefined>();
    for (const { node, after } of places) if (has(node.set, character)) ended.add(after);
    return this.#reader.after(ended);
  }
}

const keyOf = ({ places, isEnd }: Places): string =>
  `${isEnd} ${places
    .map(({ node, after }) => `${node.id}:${after?.id ?? 0}`)
    .sort()
    .join()}`;

/** Ranges of characters that no set divides. */
function pieces(pair: readonly Places[]): [number, number][] {
  const starts = new Set<number>();
  for (const { places } of pair)
    for (const { node } of places)
      for (const [from, to] of node.set) {
        starts.add(from);
        starts.add(to + 1);
      }
  const sorted = [...starts].sort((x, y) => x - y);
  return sorted.slice(0, -1).map((from, i) => [from, sorted[i + 1]! - 1]);
}
