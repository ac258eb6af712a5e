// Sets of characters.

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

export const ANY: CharacterSet = complement([]);

export const only = (code: number): CharacterSet => [[code, code]];

export const intersection = (a: CharacterSet, b: CharacterSet): CharacterSet =>
  complement(union(complement(a), complement(b)));

export const has = (set: CharacterSet, code: number): boolean =>
  set.some(([from, to]) => code >= from && code <= to);
