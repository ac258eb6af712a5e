// What the kernels of LoRA adapters share: which adapters a token uses, and test contents.
import type { Binding, Buffer } from "./kernel.ts";

/** Adapters that one sequence may use together. */
export const MAX_TOGETHER = 8;

/** Of a ring: the count of its adapters, a free word; then of each its slot, and the bits of its scale. */
export const USE_WORDS = 2 * (1 + MAX_TOGETHER);

export const useConstants = { MAX_TOGETHER, USE_STRIDE: USE_WORDS / 2 };

export interface LoraSize {
  T: number;
  /** Rings, each with a sequence that uses some adapters or none. */
  B: number;
  /** Adapters that the buffers hold. */
  slots: number;
  /** Entries of h for an adapter of a token: ranks of all matrices that share an input. */
  M: number;
}

/** `rows` as in every pass; `uses`: [rings, USE_WORDS]. */
export const useBindings = ({ T, B }: LoraSize, first: number): Binding[] => [
  { name: "rows", slot: first, type: "u32", length: 4 * T },
  { name: "uses", slot: first + 1, type: "u32", length: USE_WORDS * B },
];

/** Words of h. */
export const hLength = ({ T, M }: Pick<LoraSize, "T" | "M">): number => T * MAX_TOGETHER * M;

/**
 * Tests: token t is id 3t of ring t mod B; ring b uses the adapters b, …, 0, if there are that many, by the
 * factors b + 1, b + 2, …
 */
export function useContents({ T, B, slots }: LoraSize, name: string): Buffer | undefined {
  if (name === "rows")
    return Uint32Array.from({ length: 4 * T }, (_, i) => [3 * (i >> 2), i >> 2, (i >> 2) % B, T][i % 4]!);
  if (name !== "uses") return undefined;
  const uses = new Uint32Array(USE_WORDS * B);
  for (let b = 0; b < Math.min(B, slots); b++) {
    uses[b * USE_WORDS] = b + 1;
    for (let i = 0; i <= b; i++) {
      const [factor] = new Uint32Array(Float32Array.of(b + 1 + i).buffer);
      uses.set([b - i, factor!], b * USE_WORDS + 2 + 2 * i);
    }
  }
  return uses;
}

/** The adapters of token t, for references. `at`: where their entries of h begin. */
export function usesOf(
  { M }: Pick<LoraSize, "M">,
  rows: Buffer,
  uses: Buffer,
  t: number,
): readonly { readonly slot: number; readonly scale: number; readonly at: number }[] {
  const first = rows[4 * t + 2]! * USE_WORDS;
  return Array.from({ length: uses[first]! }, (_, i) => {
    const word = first + 2 + 2 * i;
    const [scale] = new Float32Array(Uint32Array.of(uses[word + 1]!).buffer);
    return { slot: uses[word]!, scale: scale!, at: (t * MAX_TOGETHER + i) * M };
  });
}
