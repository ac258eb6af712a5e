// The products of LoRA adapters, as kernels/lora-a.ts, lora-b.ts and lora-lookup.ts have them.
import { padded } from "../formats/table.ts";
import { usesOf } from "../lora.ts";
import type { LoraASize } from "../lora-a.ts";
import type { LoraBSize } from "../lora-b.ts";
import type { LoraLookupSize } from "../lora-lookup.ts";
import type { Operand, Operation } from "./operation.ts";

interface LoraACall {
  readonly input: "plain" | "norm";
}

interface LoraBCall {
  readonly output: "addend" | "in_place";
  readonly addend: "none" | "bias";
}

/** The adapters of each token. */
const usesOfAll = (size: { readonly T: number; readonly M: number }, rows: Operand, uses: Operand) =>
  Array.from({ length: size.T }, (_, t) => usesOf(size, rows.u32, uses.u32, t));

/** Items are rows of A. */
export const loraA: Operation<LoraACall, LoraASize> = ({ input }, size, operands) => {
  const { M, K, eps = 1e-5 } = size;
  const [x, ...others] = operands as [Operand, ...Operand[]];
  const gain = input === "norm" ? others.shift() : undefined;
  const [rows, uses, a, h] = others as [Operand, Operand, Operand, Operand];
  const stride = padded(K);
  return [
    {
      items: M,
      evenly: true,
      run(first, end) {
        const { vectorAt, vector, multiply } = productsOf(a, stride, end - first);
        vector.fill(0);
        usesOfAll(size, rows, uses).forEach((used, t) => {
          if (used.length === 0) return;
          const from = t * stride;
          const factor = gain ? rmsFactor(x.f32, from, K, eps) : 1;
          for (let k = 0; k < K; k++) vector[k] = x.f32[from + k]! * factor * (gain ? gain.f32[k]! : 1);
          for (const { slot, scale, at } of used)
            h.f32.set(multiply(slot * M + first, end - first, vectorAt, stride, scale), at + first);
        });
      },
    },
  ];
};

const rmsFactor = (x: Float32Array, from: number, K: number, eps: number): number => {
  let squares = 0;
  for (let i = from; i < from + K; i++) squares += x[i]! * x[i]!;
  return 1 / Math.sqrt(squares / K + eps);
};

/**
 * Multiplies rows of floats, in the heap that has them.
 * @param length floats of a vector
 * @param count rows at most
 */
function productsOf({ address, home }: Operand, length: number, count: number) {
  const vectorAt = home.scratch(4 * (length + count));
  const outAt = vectorAt + 4 * length;
  return {
    vectorAt,
    vector: home.heap.f32.subarray(vectorAt / 4, outAt / 4),
    /** factor · the products of rows from `row` on, of `width` floats each, with a vector at an address. */
    multiply(row: number, count: number, at: number, width: number, factor: number): Float32Array {
      home.compiled.floatProducts(address + 4 * row * width, count, width / 4, at, factor, outAt);
      return home.heap.f32.subarray(outAt / 4, outAt / 4 + count);
    },
  };
}

/** Items are rows of B. */
export const loraB: Operation<LoraBCall, LoraBSize> = ({ output, addend }, size, operands) => {
  const { N, M, R } = size;
  const [h, b, rows, uses, gains, ...others] = operands as [
    ...[Operand, Operand, Operand, Operand, Operand],
    ...Operand[],
  ];
  const bias = addend === "bias" ? others.shift()?.f32 : undefined;
  const [blocks, y] = others as [Operand, Operand];

  /** Changes y, or makes pairs of gain and addend, for a token and the rows from `first` on. */
  const put = (t: number, first: number, gain: Float32Array, sums: Float32Array): void => {
    const { f32 } = y;
    const at = t * padded(N) + first;
    const count = sums.length;
    if (output === "in_place")
      for (let i = 0; i < count; i++) f32[at + i] = gain[i]! * (f32[at + i]! + sums[i]!);
    else
      for (let i = 0; i < count; i++) {
        f32[2 * (at + i)] = gain[i]!;
        f32[2 * (at + i) + 1] = gain[i]! * sums[i]! + (bias ? bias[first + i]! : 0);
      }
  };

  return [
    {
      items: N,
      evenly: true,
      run(first, end) {
        const { vectorAt, vector, multiply } = productsOf(b, M, end - first);
        const sums = new Float32Array(end - first);
        const gain = new Float32Array(end - first);
        usesOfAll(size, rows, uses).forEach((used, t) => {
          if (used.length === 0 && output === "in_place") return;
          sums.fill(0);
          gain.fill(1);
          for (const { slot, at } of used) {
            vector.set(h.f32.subarray(at, at + M));
            for (let n = first; n < end; ) {
              const from = n;
              const block = blocks.u32[from]!;
              while (n < end && blocks.u32[n] === block) n++;
              const products = multiply(slot * N + from, n - from, vectorAt + 4 * block * R, R, 1);
              for (let i = 0; i < n - from; i++) {
                sums[from - first + i]! += products[i]!;
                gain[from - first + i]! *= gains.f32[slot * N + from + i]!;
              }
            }
          }
          put(t, first, gain, sums);
        });
      },
    },
  ];
};

/** Items are tokens. */
export const loraLookup: Operation<object, LoraLookupSize> = (_, { T, V, M }, operands) => {
  const [rows, uses, a, h] = operands as [Operand, Operand, Operand, Operand];
  return [
    {
      items: T,
      run(first, end) {
        for (let t = first; t < end; t++)
          for (const { slot, scale, at } of usesOf({ M }, rows.u32, uses.u32, t)) {
            const from = (slot * V + rows.u32[4 * t]!) * M;
            for (let m = 0; m < M; m++) h.f32[at + m] = scale * a.f32[from + m]!;
          }
      },
    },
  ];
};
