// Conversations kept over a restart: written atomically, restored in the order of their use; unusable files
// are left alone.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Model, SessionError } from "../../engine/node.ts";
import { restoreSessions, saveSessions } from "../../server/session-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sirocco-slots-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Keeps the messages it is given, the latest first. */
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

test("kept conversations are restored, the latest first, as many as there are rings", async () => {
  const slots = join(folder, "new", "slots");
  const words = Array.from({ length: 12 }, (_, i) => `word ${i}`);
  expect(await saveSessions(keeper(words), slots)).toBe(12);
  const again: string[] = [];
  expect(await restoreSessions(keeper(again, 11), slots, () => {})).toBe(11);
  expect(again).toEqual(words.slice(0, 11));
});

test("old files of conversations are removed; other files are not touched", async () => {
  writeFileSync(join(folder, "notes.txt"), "mine");
  await saveSessions(keeper(["a", "b", "c"]), folder);
  expect(await saveSessions(keeper(["d"]), folder)).toBe(1);
  expect(readdirSync(folder).sort()).toEqual(["notes.txt", "session-0.sirocco"]);
  expect(readFileSync(join(folder, "session-0.sirocco"), "utf8")).toBe("d");
});

test("damaged files are reported and kept, the others restored; a missing folder means no conversations", async () => {
  await saveSessions(keeper(["a", "damaged", "c"]), folder);
  const [again, notes]: string[][] = [[], []];
  expect(await restoreSessions(keeper(again!), folder, (text) => notes!.push(text))).toBe(2);
  expect(again).toEqual(["a", "c"]);
  expect(notes).toEqual([expect.stringMatching(/session-1\.sirocco: session: expected better/)]);
  expect(await restoreSessions(keeper([]), join(folder, "none"), () => {})).toBe(0);
});

test("folders, devices, broken links and huge files are reported, and neither stop nor delay the start", async () => {
  await saveSessions(keeper(["a"]), folder);
  writeFileSync(join(folder, "session-6.sirocco"), "b");
  const at = (number: number) => join(folder, `session-${number}.sirocco`);
  mkdirSync(at(1));
  symlinkSync(join(folder, "nowhere"), at(2));
  if (process.platform !== "win32") execFileSync("mkfifo", [at(3)]);
  writeFileSync(at(4), "");
  // Sparse: it takes no space.
  truncateSync(at(4), 2 ** 31);
  symlinkSync("/dev/zero", at(5));
  const [again, notes]: string[][] = [[], []];
  expect(await restoreSessions(keeper(again!, 2), folder, (text) => notes!.push(text))).toBe(2);
  expect(again).toEqual(["a", "b"]);
  expect(notes!.sort().map((note) => note.slice(at(1).length))).toEqual([
    ": cannot be read: expected a file, got a folder.",
    ": cannot be read: There is no such file or folder. (ENOENT)",
    ": cannot be read: expected a file, got a device.",
    ": cannot be read: expected a file of at most 2 GiB, got one of 2147483648 bytes.",
    ": cannot be read: expected a file, got a device.",
  ]);
  // A save replaces everything but the folder, which it skips.
  expect(await saveSessions(keeper(["a", "b"]), folder)).toBe(2);
  expect(readdirSync(folder).sort()).toEqual([0, 1, 2].map((i) => `session-${i}.sirocco`));
  expect([0, 2].map((i) => readFileSync(at(i), "utf8"))).toEqual(["a", "b"]);
  rmSync(at(1), { recursive: true });
  expect(await saveSessions(keeper(["a", "b", "c", "d"]), folder)).toBe(4);
  expect(readdirSync(folder).sort()).toEqual([0, 1, 2, 3].map((i) => `session-${i}.sirocco`));
  expect(readFileSync(at(3), "utf8")).toBe("d");
});

test("a removed folder is created again; if that fails the error is reported at once", async () => {
  const slots = join(folder, "slots");
  await saveSessions(keeper(["a"]), slots);
  rmSync(slots, { recursive: true });
  expect(await saveSessions(keeper(["a"]), slots)).toBe(1);
  rmSync(slots, { recursive: true });
  writeFileSync(slots, "a file now");
  await expect(saveSessions(keeper(["a"]), slots)).rejects.toThrow(
    /expected a folder.*A part of the path is a file/,
  );
  await expect(restoreSessions(keeper([]), slots, () => {})).rejects.toThrow(/expected a folder/);
  // Node's own recursive mkdir never returns from here.
  if (process.platform === "linux")
    await expect(saveSessions(keeper(["a"]), "/proc/x/y")).rejects.toThrow(/folder/);
});

test.runIf(existsSync("/dev/full"))(
  "a full disk gives a clear error, and leaves no partial file",
  async () => {
    await saveSessions(keeper(["a", "b"]), folder);
    const full = join(folder, `session-1.sirocco.${process.pid}.part`);
    symlinkSync("/dev/full", full);
    await expect(saveSessions(keeper(["c", "d"]), folder)).rejects.toThrow(
      /session-1\.sirocco: cannot be written: The disk is full\. Free some space\. \(ENOSPC\) Conversations kept: 1\.$/,
    );
    expect(readdirSync(folder).sort()).toEqual(["session-0.sirocco", "session-1.sirocco"]);
    expect(readFileSync(join(folder, "session-1.sirocco"), "utf8")).toBe("b");
  },
);
