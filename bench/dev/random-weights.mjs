// Random weights of full-size checkpoints.
import { blockTypes } from "./peers/gguf-blocks.mjs";
import { filler } from "./repeated.mjs";

/** Random bf16 about as large as trained weights, ±[1/64, 1/32); xorshift32 from a fixed seed. */
export function randomBlock(/** @type {number} */ values) {
  const block = new Uint16Array(values);
  let state = 0x9e3779b9;
  for (let i = 0; i < values; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    block[i] = (state & 0x8000) | 0x3c80 | (state & 0x7f);
  }
  return new Uint8Array(block.buffer);
}

/** Random blocks of GGUF's types, each type's encoded once: to encode 7 G weights would take an hour. */
export function repeatedBlocks() {
  const values = 2 ** 20;
  const floats = bf16ToF32(randomBlock(values));
  const fillers = new Map();
  return (/** @type {import("./peers/gguf.mjs").BlockName} */ type, /** @type {number} */ size) => {
    const { length, bytes, write } = blockTypes[type];
    if (!fillers.has(type)) {
      const blocks = new Uint8Array((values / length) * bytes);
      for (let i = 0; i < values / length; i++)
        write(floats.subarray(i * length, (i + 1) * length), new DataView(blocks.buffer, i * bytes, bytes));
      fillers.set(type, filler(blocks, bytes));
    }
    return fillers.get(type)(size);
  };
}

function bf16ToF32(/** @type {Uint8Array} */ { buffer }) {
  return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
}
