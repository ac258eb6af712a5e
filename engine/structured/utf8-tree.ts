// The UTF-8 bytes of a set of characters (RFC 3629), as a tree.
import type { CharacterSet } from "./character-set.ts";

const LAST = 0x10ffff;

/** Which bytes may come next, and what after each. */
export interface Utf8Node {
  readonly id: number;
  /** `then` undefined: the character is whole. */
  readonly ranges: readonly (readonly [from: number, to: number, then: Utf8Node | undefined])[];
}

let nodes = 0;

/** Characters of one length share what follows their first bytes where they may. */
export function utf8Tree(set: CharacterSet): Utf8Node {
  const known = new Map<string, Utf8Node>();
  const nodeOf = (sequences: readonly ByteRanges[]): Utf8Node => {
    const key = JSON.stringify(sequences);
    let node = known.get(key);
    if (!node) {
      const ranges = sequences.map(
        ([[from, to], ...rest]) => [from, to, rest.length > 0 ? nodeOf([rest as never]) : undefined] as const,
      );
      node = { id: ++nodes, ranges };
      known.set(key, node);
    }
    return node;
  };
  return nodeOf(utf8Ranges(set));
}

/** A range for each byte. */
type ByteRanges = readonly [readonly [number, number], ...(readonly [number, number])[]];

/** The sequences of bytes that encode the characters of a set, each as ranges byte by byte. */
function utf8Ranges(set: CharacterSet): ByteRanges[] {
  return set.flatMap(([from, to]) => {
    const parts: ByteRanges[] = [];
    let low = from;
    for (const [last, length] of [
      [0x7f, 1],
      [0x7ff, 2],
      [0xffff, 3],
      [LAST, 4],
    ] as const) {
      if (low > to || low > last) continue;
      for (const range of withoutSurrogates(low, Math.min(to, last))) parts.push(...split(...range, length));
      low = last + 1;
    }
    return parts;
  });
}

function withoutSurrogates(from: number, to: number): [number, number][] {
  if (to < 0xd800 || from > 0xdfff) return [[from, to]];
  const parts: [number, number][] = [
    [from, 0xd7ff],
    [0xe000, to],
  ];
  return parts.filter(([low, high]) => low <= high);
}

/** Splits a range of characters of one length so that the bytes of each part vary independently. */
function split(from: number, to: number, length: number): ByteRanges[] {
  for (let i = 1; i < length; i++) {
    const rest = 2 ** (6 * i) - 1;
    if ((from & ~rest) === (to & ~rest)) continue;
    if ((from & rest) !== 0)
      return [...split(from, from | rest, length), ...split((from | rest) + 1, to, length)];
    if ((to & rest) !== rest)
      return [...split(from, (to & ~rest) - 1, length), ...split(to & ~rest, to, length)];
  }
  const low = encoded(from, length);
  const high = encoded(to, length);
  return [low.map((byte, i) => [byte, high[i]!] as const) as never];
}

const LEADS = [0, 0, 0xc0, 0xe0, 0xf0];

function encoded(code: number, length: number): number[] {
  const bytes: number[] = [];
  for (let i = length - 1; i > 0; i--) bytes.unshift(0x80 | ((code >> (6 * (length - 1 - i))) & 0x3f));
  bytes.unshift(LEADS[length]! | (code >> (6 * (length - 1))));
  return bytes;
}
