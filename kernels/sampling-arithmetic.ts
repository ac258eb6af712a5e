// The integer arithmetic of the draw, bit for bit as snippets/octaves.wgsl and snippets/philox.wgsl.

/** One octave, a factor of two of probability, in the units of distances between tokens. */
export const OCTAVE = 2 ** 25;

/** The upper and lower half of the product of two u32. */
const wideProduct = (a: number, b: number): [high: number, low: number] => {
  const product = BigInt(a) * BigInt(b);
  return [Number(product >> 32n), Math.imul(a, b) >>> 0];
};

/** floor(a * b / 2^32). */
function highProduct(a: number, b: number): number {
  const middle = (a >>> 16) * (b & 0xffff) + (((a & 0xffff) * (b & 0xffff)) >>> 16);
  const other = (a & 0xffff) * (b >>> 16) + (middle % 0x10000);
  return (a >>> 16) * (b >>> 16) + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000);
}

/** last - f (… - f (second - f first)), all of them fractions in units of 2^-32. */
const alternating = (f: number, [first, ...rest]: readonly number[]): number =>
  rest.reduce((q, coefficient) => coefficient - highProduct(f, q), first!);

const EXP2 = [0x00078809, 0x0054a612, 0x0274f388, 0x0e353290, 0x3d7f7506, 0xb17217df];
const LOG2 = [
  0x00f25521, 0x055e743d, 0x0e50836e, 0x191e5ba4, 0x233a72dd, 0x2ddcbe71, 0x3d86e2c7, 0x5c54da69, 0xb8aa3ac0,
];

/** (2^28 - 1) * 2^-octaves, rounded down; 0 from 28 octaves on. */
export function mass(octaves: number): number {
  if (octaves >= 28 * OCTAVE) return 0;
  const f = (octaves << 7) >>> 0;
  return (0x0fffffff - (highProduct(f, alternating(f, EXP2)) >>> 4)) >>> Math.floor(octaves / OCTAVE);
}

/** log2(2n + 1) in octaves. */
export function log2Odd(n: number): number {
  if (n === 0) return 0;
  const zeros = Math.clz32(n);
  const f = (((n << zeros) << 1) | (1 << zeros)) >>> 0;
  return (32 - zeros) * OCTAVE + (highProduct(f, alternating(f, LOG2)) >>> 6);
}

/** 33 + log2(-ln(1 - v)) in octaves, for v = (h + 1/2) / 2^32. */
export function log2Exponential(h: number): number {
  if (h < 2 ** 26) {
    const series = highProduct(h, 0xb8aa3b29 + highProduct(h, 0x4cf198a7 + highProduct(h, 0x2e2a8eca)));
    return log2Odd(h) + (series >>> 7);
  }
  return log2Odd(33 * OCTAVE - log2Odd(~h >>> 0)) + 0x0cf14589;
}

/** Philox4x32 (Salmon et al. 2011): four random u32 from a counter of four and a key of two. */
export function philox(counter: readonly number[], key: readonly number[], rounds = 7): number[] {
  let [c0, c1, c2, c3] = counter as [number, number, number, number];
  let [k0, k1] = key as [number, number];
  for (let round = 0; round < rounds; round++) {
    const [highA, lowA] = wideProduct(0xd2511f53, c0);
    const [highB, lowB] = wideProduct(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [(highB ^ c1 ^ k0) >>> 0, lowB, (highA ^ c3 ^ k1) >>> 0, lowA];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}
