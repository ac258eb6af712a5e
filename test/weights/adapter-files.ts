// LoRA adapters in memory, for tests.
import { type Source, writeHeader } from "../../weights/index.ts";
import { memorySource } from "./memory-source.ts";

/** A tensor in f32. */
export interface F32Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

const numbersIn = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

export const floats = (name: string, shape: readonly number[], at: (i: number) => number): F32Tensor => ({
  ...{ name, shape },
  values: Float32Array.from({ length: numbersIn(shape) }, (_, i) => at(i)),
});

export const ones = (name: string, shape: readonly number[], value = 1): F32Tensor =>
  floats(name, shape, () => value);

export function adapterTensors(tensors: readonly F32Tensor[]): Uint8Array {
  const header = writeHeader(tensors.map(({ name, shape }) => ({ name, shape, dtype: "F32" })));
  const data = tensors.map(({ values }) => new Uint8Array(values.buffer));
  return new Uint8Array(Buffer.concat([header.bytes, ...data]));
}

/** @param config fields besides `peft_type` */
export const adapterSource = (config: object, tensors: readonly F32Tensor[]): Source =>
  memorySource({
    "adapter_config.json": new TextEncoder().encode(JSON.stringify({ peft_type: "LORA", ...config })),
    "adapter_model.safetensors": adapterTensors(tensors),
  });
