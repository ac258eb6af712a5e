// Every broken checkpoint is refused with a message, from memory and from a folder. The same checkpoint
// unbroken opens.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as path } from "node:path";
import { afterAll, expect, test } from "vitest";
import { CheckpointError, folderSource, openCheckpoint, type Source } from "../../weights/node.ts";
import { brokenCheckpoints } from "./broken-checkpoints.ts";
import { type Files, filesOf, memorySource } from "./memory-source.ts";

const folder = mkdtempSync(path(tmpdir(), "sirocco-broken-"));
afterAll(() => rmSync(folder, { recursive: true }));

function onDisk(files: Files): Source {
  const place = mkdtempSync(path(folder, "checkpoint-"));
  for (const [name, bytes] of Object.entries(files)) {
    if (bytes === "directory") mkdirSync(path(place, name));
    else writeFileSync(path(place, name), bytes);
  }
  return folderSource(place);
}

const refusal = (source: Source): Promise<unknown> =>
  openCheckpoint(source).then(
    () => "opened",
    (error: unknown) => error,
  );

test("there are at least 40 kinds, with different names", () => {
  expect(new Set(brokenCheckpoints.map(({ name }) => name)).size).toBe(brokenCheckpoints.length);
  expect(brokenCheckpoints.length).toBeGreaterThanOrEqual(40);
});

test.each(["gqa_4x2", "two_shards"])("%s opens before it is broken", async (name) => {
  await openCheckpoint(memorySource(filesOf(`test/golden/families/${name}`)));
});

test.each(brokenCheckpoints)("$name", async ({ files, expect: words }) => {
  for (const source of [memorySource(files()), onDisk(files())]) {
    const error = await refusal(source);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toMatch(words);
    expect((error as Error).message).toMatch(/^[^:]+: (.+: )?expected .+, got .+\. \S.*[.:]?$/s);
    expect((error as Error).message.length).toBeLessThan(1200);
  }
});
