// SHA-256 in pieces, compared with Node's own.
import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { IncrementalSha256 } from "../../weights/integrity/incremental-sha256.ts";

const bytes = new Uint8Array(randomBytes(300));
const expected = (length: number) => createHash("sha256").update(bytes.subarray(0, length)).digest("hex");

test("every length, in one piece", () => {
  for (let length = 0; length <= bytes.length; length++) {
    const hash = new IncrementalSha256();
    hash.update(bytes.subarray(0, length));
    expect(hash.digest(), `${length} bytes`).toBe(expected(length));
    expect(hash.length).toBe(length);
  }
});

test("every split in two, resumed from the saved state, and continued after a digest", () => {
  for (let split = 0; split <= 200; split++) {
    const first = new IncrementalSha256();
    first.update(bytes.subarray(0, split));
    expect(first.digest()).toBe(expected(split));
    for (const next of [first, new IncrementalSha256(first.state(), split)]) {
      next.update(bytes.subarray(split));
      expect(next.digest(), `split at ${split}`).toBe(expected(bytes.length));
    }
  }
});

test.each([1, 7, 63, 64, 65, 128])("in pieces of %i", (step) => {
  const hash = new IncrementalSha256();
  for (let at = 0; at < bytes.length; at += step) hash.update(bytes.subarray(at, at + step));
  expect(hash.digest()).toBe(expected(bytes.length));
});
