// Fills buffers with a block that is repeated: the copies are made on the GPU.
import type { Buffer } from "../../kernels/index.ts";
import { usage } from "../gpu/dispatch.ts";

/** Short blocks are repeated on the host up to about this many words. */
const WORDS = 2 ** 16;

/** Fills the whole of a buffer with `block`, again and again. */
export function fillBuffer(device: GPUDevice, buffer: GPUBuffer, block: Buffer): void {
  const bits = new Uint32Array(block.buffer, block.byteOffset, block.length);
  const times = Math.max(1, Math.floor(Math.min(WORDS, buffer.size / 4) / bits.length));
  const words = new Uint32Array(bits.length * times);
  for (let i = 0; i < words.length; i++) words[i] = bits[i % bits.length]!;
  const source = device.createBuffer({
    label: "tuning block",
    size: words.byteLength,
    usage: usage.copySrc | usage.copyDst,
  });
  device.queue.writeBuffer(source, 0, words);
  const encoder = device.createCommandEncoder();
  for (let at = 0; at < buffer.size; at += source.size) {
    encoder.copyBufferToBuffer(source, 0, buffer, at, Math.min(source.size, buffer.size - at));
  }
  device.queue.submit([encoder.finish()]);
  source.destroy();
}
