// Each place that a file can be hashed in gives Node's own digest.
import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import type { OpenFileHash } from "../../weights/integrity/file-hash.ts";
import { openLocalHash } from "../../weights/integrity/local-hash.ts";
import { openNodeHash } from "../../weights/integrity/node-hash.ts";

const bytes = new Uint8Array(randomBytes(1000));
const digest = createHash("sha256").update(bytes).digest("hex");

const places: [string, OpenFileHash][] = [
  ["on the caller's thread", openLocalHash],
  ["in Node", openNodeHash],
];
test.each(places)("%s", async (_, open) => {
  const hash = await open();
  const piece = bytes.slice(0, 700);
  await hash.update(piece);
  piece.fill(0); // The caller may reuse it.
  expect(hash.length).toBe(700);
  await hash.update(bytes.subarray(700));
  expect(await hash.digest()).toBe(digest);
});

test("resumed from its state, or not at all", async () => {
  const first = await openLocalHash();
  await first.update(bytes.subarray(0, 700));
  const second = await openLocalHash(await first.state(), 700);
  expect(second.length).toBe(700);
  await second.update(bytes.subarray(700));
  expect(await second.digest()).toBe(digest);
  const inNode = await openNodeHash();
  expect(await inNode.state()).toBeUndefined();
  await expect(openNodeHash([1], 700)).rejects.toThrow(RangeError);
});
