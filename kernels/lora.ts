// What the kernels of LoRA adapters share: which adapter a token uses, and test contents.
import type { Binding, Buffer } from "./kernel.ts";

/** The slot of a sequence without an adapter. */
export const NO_ADAPTER = 0xffffffff;

export interface LoraSize {
  T: number;
  /** Rings, each with a sequence that uses an adapter or none. */
  B: number;
  /** Adapters that the buffers hold. */
  slots: number;
  /** Entries of h for a token: ranks of all matrices that share an input. */
  M: number;
}

/** `rows` as in every pass; `uses`: slot of the adapter, and the bits of its scale, for each ring. */
export const useBindings = ({ T, B }: LoraSize, first: number): Binding[] => [
  { name: "rows", slot: first, type: "u32", length: 4 * T },
  { name: "uses", slot: first + 1, type: "u32", length: 2 * B },
];

/** Tests: token t is id 3t of ring t mod B; ring b uses adapter b, if there is one, by the factor b + 1. */
export function useContents({ T, B, slots }: LoraSize, name: string): Buffer | undefined {
  if (name === "rows")
    return Uint32Array.from({ length: 4 * T }, (_, i) => [3 * (i >> 2), i >> 2, (i >> 2) % B, T][i % 4]!);
  if (name !== "uses") return undefined;
  const factors = new Uint32Array(Float32Array.from({ length: B }, (_, b) => b + 1).buffer);
  return Uint32Array.from({ length: 2 * B }, (_, i) =>
    i % 2 === 1 ? factors[i >> 1]! : i >> 1 < slots ? i >> 1 : NO_ADAPTER,
  );
}

/** The adapter of token t, for references. */
export function useOf(rows: Buffer, uses: Buffer, t: number): { slot: number; scale: number } | undefined {
  const ring = rows[4 * t + 2]!;
  const slot = uses[2 * ring]!;
  if (slot === NO_ADAPTER) return undefined;
  const [scale] = new Float32Array(Uint32Array.of(uses[2 * ring + 1]!).buffer);
  return { slot, scale: scale! };
}
