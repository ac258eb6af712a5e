// Sets of characters, and the UTF-8 bytes of them.

/** Ranges of code points, both ends included, in order, apart from each other, without surrogates. */
export type CharacterSet = readonly (readonly [number, number])[];

const LAST = 0x10ffff;

export const DIGITS: CharacterSet = [[0x30, 0x39]];
export const WORDS: CharacterSet = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
/** WhiteSpace and LineTerminator of ECMA-262. */
export const SPACES: CharacterSet = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
/** "." without the flag s: no line terminators. */
export const DOT: CharacterSet = complement([
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
]);

export function union(a: CharacterSet, b: CharacterSet): CharacterSet {
  const all = [...a, ...b].sort((x, y) => x[0] - y[0]);
  const joined: [number, number][] = [];
  for (const [from, to] of all) {
    const last = joined.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

export function complement(set: CharacterSet): CharacterSet {
  const rest: [number, number][] = [];
  let from = 0;
  for (const [low, high] of union(set, [[0xd800, 0xdfff]])) {
    if (low > from) rest.push([from, low - 1]);
    from = high + 1;
  }
  if (from <= LAST) rest.push([from, LAST]);
  return rest;
}

/** A range for each byte. */
export type ByteRanges = readonly (readonly [number, number])[];

/** The sequences of bytes that encode the characters of a set, each as ranges byte by byte. */
export function utf8Ranges(set: CharacterSet): ByteRanges[] {
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
  return [low.map((byte, i) => [byte, high[i]!] as const)];
}

const LEADS = [0, 0, 0xc0, 0xe0, 0xf0];

function encoded(code: number, length: number): number[] {
  const bytes: number[] = [];
  for (let i = length - 1; i > 0; i--) bytes.unshift(0x80 | ((code >> (6 * (length - 1 - i))) & 0x3f));
  bytes.unshift(LEADS[length]! | (code >> (6 * (length - 1))));
  return bytes;
}
