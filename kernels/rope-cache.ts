import { padded } from "./formats/format.ts";
import type { Kernel } from "./kernel.ts";
import { type RopeSize, referencePair, ropeBindings, ropeConstants, ropeContents } from "./rope.ts";
import source from "./rope-cache.wgsl?raw";
import ropeWrite from "./snippets/rope-write.wgsl?raw";

const stride = ({ H, G, d }: RopeSize): number => padded((H + 2 * G) * d);

/** RoPE and the write into the ring for a prefill pass, whose projections a matmul made. */
export const ropeCache: Kernel<RopeSize> = {
  name: "rope_cache",
  source: [source, ropeWrite],
  testSizes: [
    { T: 1, B: 1, H: 1, G: 1, d: 2, S: 3 },
    { T: 5, B: 2, H: 6, G: 2, d: 6, S: 7 },
    { T: 65, B: 1, H: 8, G: 2, d: 32, S: 100 },
  ],
  bindings: (size) => [
    { name: "qkv", slot: 0, type: "f32", length: size.T * stride(size) },
    ...ropeBindings(size),
  ],
  constants: (size) => ({ ...ropeConstants(size), QKV_STRIDE: stride(size) }),
  workgroups: ({ H, G, d, T }) => [Math.ceil(((H + 2 * G) * d) / 2 / 64), T],
  fill: ropeContents,
  reference(size, qkv, rows, _angles, q, cache) {
    const { T, H, G, d } = size;
    for (let t = 0; t < T; t++) {
      for (let head = 0; head < H + 2 * G; head++) {
        for (let i = 0; i < d / 2; i++) {
          const at = t * stride(size) + head * d + i;
          const pair = [qkv[at]!, qkv[at + d / 2]!] as const;
          referencePair(size, [rows!, q!, cache!], [t, head, i], 1e4 ** ((-2 * i) / d), pair);
        }
      }
    }
  },
};
