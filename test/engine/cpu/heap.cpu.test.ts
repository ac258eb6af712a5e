// Places of buffers in a heap: never over each other, joined when they are free again.
import { expect, test } from "vitest";
import { Heap } from "../../../engine/cpu/heap.ts";
import { randomU32 } from "../../random.ts";

test("a heap gives the first bytes that fit, in multiples of 64, behind its start", () => {
  const heap = new Heap(128, 128 + 640);
  expect(heap.take(1)).toEqual({ offset: 128, used: false });
  expect(heap.take(65)).toEqual({ offset: 192, used: false });
  expect(heap.take(512)).toBeUndefined();
  expect(heap.take(448)).toEqual({ offset: 320, used: false });
  expect(heap.memoryBytes).toBe(768 + 128);
  heap.give(192, 65);
  expect(heap.take(64)).toEqual({ offset: 192, used: true });
  expect(heap.take(128)).toBeUndefined();
});

test("free ranges join on both sides", () => {
  const heap = new Heap(0, 256);
  for (let i = 0; i < 4; i++) heap.take(64);
  for (const offset of [0, 128, 64, 192]) heap.give(offset, 64);
  expect(heap.take(256)).toEqual({ offset: 0, used: true });
});

test("of many buffers no two overlap, and what is marked as unused was never given before", () => {
  const random = randomU32(7);
  const heap = new Heap(64, 2 ** 16);
  const owners = new Int32Array(2 ** 16).fill(-1);
  const everUsed = new Uint8Array(2 ** 16);
  const taken: { offset: number; bytes: number; id: number }[] = [];
  let refused = 0;
  for (let id = 0; id < 5000; id++) {
    const bytes = 1 + (random() % 3000);
    const place = heap.take(bytes);
    if (!place) refused++;
    if (!place || random() % 3 === 0) {
      const at = random() % Math.max(1, taken.length);
      const [old] = taken.splice(at, 1);
      if (old) {
        expect(owners.subarray(old.offset, old.offset + old.bytes).every((owner) => owner === old.id)).toBe(
          true,
        );
        owners.fill(-1, old.offset, old.offset + old.bytes);
        heap.give(old.offset, old.bytes);
      }
    }
    if (!place) continue;
    const range = [place.offset, place.offset + bytes] as const;
    expect(owners.subarray(...range).every((owner) => owner === -1)).toBe(true);
    if (!place.used) expect(everUsed.subarray(...range).every((used) => used === 0)).toBe(true);
    owners.fill(id, ...range);
    everUsed.fill(1, ...range);
    taken.push({ ...place, bytes, id });
  }
  expect(refused).toBeGreaterThan(100);
});
