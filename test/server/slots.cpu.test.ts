// Conversations that outlast a server: written whole, put back in the order of their use, and what is of no use is left alone.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Model, SessionError } from "../../engine/node.ts";
import { restoreSlots, saveSlots } from "../../server/slots.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sirocco-slots-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Keeps the words it is given, the latest first. */
function keeper(kept: string[], rings = 3): Model {
  return {
    plan: { rings },
    saveSession: async ({ conversation = 0 } = {}) =>
      kept[conversation] === undefined ? undefined : new TextEncoder().encode(kept[conversation]),
    restoreSession: async (bytes: Uint8Array) => {
      const word = new TextDecoder().decode(bytes);
      if (word === "damaged") throw new SessionError("session: expected better.");
      kept.unshift(word);
      return [];
    },
  } as unknown as Model;
}

test("what was kept comes back, the latest first, as much as there are rings for", async () => {
  const slots = join(folder, "new", "slots");
  const words = Array.from({ length: 12 }, (_, i) => `word ${i}`);
  expect(await saveSlots(keeper(words), slots)).toBe(12);
  const again: string[] = [];
  expect(await restoreSlots(keeper(again, 11), slots, () => {})).toBe(11);
  expect(again).toEqual(words.slice(0, 11));
});

test("fewer conversations leave no files of before; other files are not touched", async () => {
  writeFileSync(join(folder, "notes.txt"), "mine");
  await saveSlots(keeper(["a", "b", "c"]), folder);
  expect(await saveSlots(keeper(["d"]), folder)).toBe(1);
  expect(readdirSync(folder).sort()).toEqual(["notes.txt", "session-0.sirocco"]);
  expect(readFileSync(join(folder, "session-0.sirocco"), "utf8")).toBe("d");
});

test("what is damaged is told of and left, the others come back; no folder is no conversation", async () => {
  await saveSlots(keeper(["a", "damaged", "c"]), folder);
  const [again, notes]: string[][] = [[], []];
  expect(await restoreSlots(keeper(again!), folder, (text) => notes!.push(text))).toBe(2);
  expect(again).toEqual(["a", "c"]);
  expect(notes).toEqual([expect.stringMatching(/session-1\.sirocco: session: expected better/)]);
  expect(await restoreSlots(keeper([]), join(folder, "none"), () => {})).toBe(0);
});
