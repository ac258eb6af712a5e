import { expect, test } from "vitest";
import { PORTIONS_BYTES, Portions } from "../../../engine/cpu/portions.ts";
import { randomU32 } from "../../random.ts";

const OFFSET = 8;

const portionsOf = (threads: number): Portions[] => {
  const shared = new SharedArrayBuffer(OFFSET + PORTIONS_BYTES);
  return Array.from({ length: threads }, (_, index) => new Portions(shared, OFFSET, index, threads));
};

test("every item of every phase runs once, whenever the threads come and however long they take", () => {
  const random = randomU32(3);
  for (const threads of [1, 2, 3, 8, 128]) {
    const portions = portionsOf(threads);
    for (const items of [0, 1, 2, 7, 64, 65, 1024, 3, 1, 1, 0, 5000]) {
      const runs = new Uint8Array(items);
      const waiting = [...portions.keys()];
      const begin = (): void => {
        const [thread] = waiting.splice(random() % waiting.length, 1);
        const run = (first: number, end: number): void => {
          expect(first).toBeLessThan(end);
          for (let item = first; item < end; item++) runs[item]!++;
          // Others begin, and end, while this one is at work.
          while (waiting.length > 0 && random() % 3 === 0) begin();
        };
        portions[thread!]!.share(items, run, items % 5 === 0);
      };
      while (waiting.length > 0) begin();
      expect(runs.every((count) => count === 1)).toBe(true);
    }
  }
});

test("a thread that is busy leaves most of the pool to the other; its own portion stays", () => {
  const [slow, fast] = portionsOf(2) as [Portions, Portions];
  let [ofSlow, ofFast] = [0, 0];
  slow.share(1024, (first, end) => {
    if (ofSlow === 0)
      fast.share(1024, (from, to) => {
        ofFast += to - from;
      });
    ofSlow += end - first;
  });
  expect([ofSlow, ofFast]).toEqual([384, 640]);
});

test("a thread that cannot do its part leaves the next phases right", () => {
  const [failed, other] = portionsOf(2) as [Portions, Portions];
  for (let phase = 0; phase < 4; phase++) {
    let count = 0;
    const run = (first: number, end: number): void => {
      count += end - first;
    };
    other.share(100, run);
    failed.share(phase === 1 ? 0 : 100, run);
    expect(count).toBe(phase === 1 ? 63 : 100);
  }
});

test("takings are at most a quarter of the pool for two threads, and not many", () => {
  const [first] = portionsOf(2) as [Portions];
  const sizes: number[] = [];
  first.share(1024, (from, to) => {
    sizes.push(to - from);
  });
  expect(sizes).toEqual([384, 64, 48, 36, 32, 32, 32, 12]);
});
