import { type CacheFormat, cacheLength, vectors } from "./cache-formats/cache-format.ts";
import type { RopeCacheCall } from "./cpu/rope-cache.ts";
import { GROUP } from "./formats/format.ts";
import type { Buffer, Kernel } from "./kernel.ts";
import { qkvStride, rowOf } from "./ring.ts";
import {
  anglePasses,
  type RopeSize,
  ropeBindings,
  ropeConstants,
  ropeContents,
  TEST_SCALE,
  testFrequency,
  testPosition,
  turnedPair,
  turnOf,
} from "./rope.ts";
import source from "./rope-cache.wgsl?raw";
import rope from "./snippets/rope.wgsl?raw";

export interface RopeCacheSize extends RopeSize {
  /** Rings of the cache, and slots of each. */
  B: number;
  S: number;
}

/** Prefill, after the product: rotates queries in place, and stores rotated keys and values in the ring. */
export const ropeCache = (format: CacheFormat): Kernel<RopeCacheSize> => ({
  name: "rope_cache",
  variant: format.name,
  source: [source, rope, format.source, ...format.writer],
  testSizes: [
    ...(format.name === "f32" ? [{ T: 1, B: 1, H: 1, G: 1, d: 2, S: 3 }] : []),
    { T: 7, B: 2, H: 6, G: 2, d: 6, S: 7, queryScale: TEST_SCALE },
    { T: 65, B: 1, H: 3, G: 2, d: 80, S: 100 },
  ],
  cpu: { op: "rope_cache", format: format.name } satisfies RopeCacheCall,
  bindings: (size) => [
    { name: "qkv", slot: 0, type: "f32", length: size.T * qkvStride(size), writes: true },
    { name: "cache", slot: 1, type: format.type, length: cacheLength(format, size), writes: true },
    ...ropeBindings(size),
  ],
  constants: (size) => ({
    ...ropeConstants(size),
    S: size.S,
    VECTORS: vectors(size.d),
    UNITS: format.units(size.d),
  }),
  workgroups: ({ H, G, d, T }) => [Math.ceil(((H * d) / 2 + 2 * G * format.units(d)) / 64), T],
  cost: (size) => ({ passes: { angles: anglePasses(size), cache: size.T / (size.B * size.S) } }),
  fill: (size, name, random) =>
    name === "qkv" ? projections(size, random) : ropeContents(size, name, size.B - 1),
  reference(size, qkv, cache, rows, angles) {
    const { T, H, G, d } = size;
    for (let t = 0; t < T; t++) {
      for (let head = 0; head < H + 2 * G; head++) {
        const at = t * qkvStride(size) + head * d;
        const row = new Float32Array(d);
        for (let i = 0; i < d / 2; i++) {
          const pair = [qkv[at + i]!, qkv[at + i + d / 2]!] as const;
          [row[i], row[i + d / 2]] = turnedPair(size, head, turnOf(size, rows!, angles!, t, i), pair);
        }
        if (head < H) qkv.set(row, at);
        else format.store(cache, rowOf(size, rows![4 * t + 2]!, head - H, rows![4 * t + 1]!), row);
      }
    }
  },
});

/**
 * Queries, keys and values that are odd multiples of 1/128 after rotation, the first of every GROUP 127/128.
 * So no format's rounding depends on the last bit of a sine.
 */
function projections(size: RopeCacheSize, random: () => number): Buffer {
  const { T, H, G, d } = size;
  const qkv = new Float32Array(T * qkvStride(size));
  const wanted = (i: number) => (i % GROUP === 0 ? 127 : 2 * (random() % 128) - 127) / 128;
  for (let t = 0; t < T; t++) {
    for (let head = 0; head < H + 2 * G; head++) {
      const at = t * qkvStride(size) + head * d;
      for (let i = 0; i < d / 2; i++) {
        const angle = -testPosition(t) * testFrequency(i, d);
        const back = { position: testPosition(t), cos: Math.cos(angle), sin: Math.sin(angle) };
        // The reference scales queries.
        const unscaled = { ...size, queryScale: null };
        const pair = [wanted(i), wanted(i + d / 2)] as const;
        [qkv[at + i], qkv[at + i + d / 2]] = turnedPair(unscaled, head, back, pair);
      }
    }
  }
  return qkv;
}
