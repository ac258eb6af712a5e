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

/** Items are rows of A, so that one is read once for all tokens. */
export const loraA: Operation<LoraACall, LoraASize> = ({ input }, size, operands) => {
  const { T, M, K, eps = 1e-5 } = size;
  const [x, ...others] = operands as [Operand, ...Operand[]];
  const gain = input === "norm" ? others.shift() : undefined;
  const [rows, uses, a, h] = others as [Operand, Operand, Operand, Operand];
  const stride = padded(K);
  const inputs = new Float32Array(T * K);
  return [
    {
      items: M,
      run(first, end) {
        for (let t = 0; t < T; t++) {
          const factor = gain ? rmsFactor(x.f32, t * stride, K, eps) : 1;
          for (let k = 0; k < K; k++)
            inputs[t * K + k] = x.f32[t * stride + k]! * factor * (gain ? gain.f32[k]! : 1);
        }
        const used = usesOfAll(size, rows, uses);
        for (let m = first; m < end; m++)
          for (let t = 0; t < T; t++)
            for (const { slot, scale, at } of used[t]!)
              h.f32[at + m] = scale * dot(a.f32, (slot * M + m) * stride, inputs, t * K, K);
      },
    },
  ];
};

const rmsFactor = (x: Float32Array, from: number, K: number, eps: number): number =>
  1 / Math.sqrt(dot(x, from, x, from, K) / K + eps);

function dot(a: Float32Array, aFrom: number, b: Float32Array, bFrom: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[aFrom + i]! * b[bFrom + i]!;
  return sum;
}

/** Items are rows of B. */
export const loraB: Operation<LoraBCall, LoraBSize> = ({ output, addend }, size, operands) => {
  const { T, N, R } = size;
  const [h, b, rows, uses, gains, ...others] = operands as [
    ...[Operand, Operand, Operand, Operand, Operand],
    ...Operand[],
  ];
  const bias = addend === "bias" ? others.shift() : undefined;
  const [blocks, y] = others as [Operand, Operand];
  return [
    {
      items: N,
      run(first, end) {
        const used = usesOfAll(size, rows, uses);
        for (let n = first; n < end; n++) {
          const block = blocks.u32[n]! * R;
          for (let t = 0; t < T; t++) {
            let gain = 1;
            let sum = 0;
            for (const { slot, at } of used[t]!) {
              sum += dot(b.f32, (slot * N + n) * R, h.f32, at + block, R);
              gain *= gains.f32[slot * N + n]!;
            }
            const at = t * padded(N) + n;
            if (output === "in_place") y.f32[at] = gain * (y.f32[at]! + sum);
            else {
              y.f32[2 * at] = gain;
              y.f32[2 * at + 1] = gain * sum + (bias ? bias.f32[n]! : 0);
            }
          }
        }
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
