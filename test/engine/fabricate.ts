// Small checkpoints made in memory.
import { parseConfig, requiredTensors, type Source, writeHeader } from "../../weights/index.ts";
import { randomU32 } from "../random.ts";
import { memorySource } from "../weights/memory-source.ts";

/**
 * A checkpoint in memory with seeded f32 weights between -1/2 and 1/2.
 * @param change returns the values to store in place of a tensor's; a matrix is stored row by row
 */
export function fabricate(
  config: Record<string, unknown>,
  change: (name: string, shape: readonly number[], values: Float32Array) => Float32Array = (
    ...[, , values]
  ) => values,
): Source {
  const made = make(config, change);
  return {
    name: "memory",
    list: async () => (await made).list!(),
    size: async (file) => (await made).size(file),
    read: async (...range) => (await made).read(...range),
  };
}

async function make(
  config: Record<string, unknown>,
  change: (name: string, shape: readonly number[], values: Float32Array) => Float32Array,
): Promise<Source> {
  const tensors = requiredTensors(await parseConfig(config)).map(({ name, shape }) => ({
    name,
    shape,
    dtype: "F32" as const,
  }));
  const header = writeHeader(tensors, {});
  const file = new Uint8Array(header.fileBytes);
  file.set(header.bytes);
  const next = randomU32(1);
  for (const { name, shape, start, end } of header.tensors) {
    const values = Float32Array.from({ length: (end - start) / 4 }, () => next() / 2 ** 32 - 0.5);
    file.set(new Uint8Array(change(name, shape, values).buffer), start);
  }
  return memorySource({
    "config.json": new TextEncoder().encode(JSON.stringify(config)),
    "model.safetensors": file,
  });
}
