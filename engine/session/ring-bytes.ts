// Copies the keys and values of a range of positions between a ring and the host.

import { readPieces } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Decoder } from "../graph/decoder.ts";
import type { Shape } from "../graph/shape.ts";

/** Positions [start, start + count) of the sequence in a ring. */
export interface SlotRange {
  readonly ring: number;
  readonly start: number;
  readonly count: number;
}

/** Bytes of one position in one layer: a row of the cache format for each key and value head. */
const positionBytes = ({ G, d, cacheFormat }: Shape): number => 2 * G * 4 * cacheFormat.words(d);

/** Bytes of `count` positions in all layers. */
export const rangeBytes = (shape: Shape, count: number): number => shape.L * count * positionBytes(shape);

/** [L, 2G, count] rows. */
export async function readRing(
  gpu: Gpu,
  { shape, activations }: Decoder,
  range: SlotRange,
): Promise<Uint8Array<ArrayBuffer>> {
  const layerBytes = range.count * positionBytes(shape);
  const result = new Uint8Array(shape.L * layerBytes);
  const parts = pieces(shape, range);
  for (const [i, buffer] of activations.caches.entries()) {
    const ofLayer = parts.map(({ inRing, outside, bytes }) => ({
      buffer,
      offset: inRing,
      to: outside,
      bytes,
    }));
    const read = await gpu.settle(readPieces(gpu.device, ofLayer, layerBytes));
    result.set(new Uint8Array(read), i * layerBytes);
  }
  return result;
}

/** Writes rows of `readRing` into their slots, without the first `skipped` positions. */
export function writeRing(
  gpu: Gpu,
  { shape, activations }: Decoder,
  range: SlotRange,
  rows: Uint8Array<ArrayBuffer>,
  skipped: number,
): void {
  const stored = range.count + skipped;
  const rowBytes = positionBytes(shape) / (2 * shape.G);
  const layerBytes = stored * positionBytes(shape);
  const parts = pieces(shape, range);
  for (const [i, cache] of activations.caches.entries()) {
    for (const { head, position, inRing, bytes } of parts) {
      const at = i * layerBytes + (head * stored + skipped + position - range.start) * rowBytes;
      gpu.device.queue.writeBuffer(cache, inRing, rows, at, bytes);
    }
  }
}

/**
 * The contiguous parts of a range, for each key and value head: two if the range wraps around the last slot.
 */
function pieces(shape: Shape, { ring, start, count }: SlotRange) {
  const { G, S, d, cacheFormat } = shape;
  const rowBytes = 4 * cacheFormat.words(d);
  const untilEnd = Math.min(count, S - (start % S));
  const parts = [
    { position: start, length: untilEnd },
    { position: start + untilEnd, length: count - untilEnd },
  ].filter(({ length }) => length > 0);
  return Array.from({ length: 2 * G }, (_, head) =>
    parts.map(({ position, length }) => ({
      head,
      position,
      inRing: ((ring * 2 * G + head) * S + (position % S)) * rowBytes,
      outside: (head * count + position - start) * rowBytes,
      bytes: length * rowBytes,
    })),
  ).flat();
}
