// Texts of Debian's packages: those that are there, and files that are something else.
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { debianTexts } from "../../bench/debian-texts.ts";

test("plain and packed texts are read; what is missing or broken is left out", async () => {
  const root = mkdtempSync(join(tmpdir(), "sirocco-debian-"));
  expect(await debianTexts(root)).toEqual([]);
  const [state, fortunes] = ["usr/share/state", "usr/share/games/fortunes"].map((path) => join(root, path));
  mkdirSync(state!, { recursive: true });
  mkdirSync(fortunes!, { recursive: true });
  writeFileSync(join(state!, "us-constitution.gz"), gzipSync("We the People"));
  writeFileSync(join(state!, "us-declaration.gz"), "not packed");
  writeFileSync(join(fortunes!, "riddles"), "Why?\n%\n");
  expect(await debianTexts(root)).toEqual([
    { name: "constitution", text: "We the People" },
    { name: "riddles", text: "Why?\n%\n" },
  ]);
  // A packed file that would fill the memory.
  writeFileSync(join(state!, "us-constitution.gz"), gzipSync(Buffer.alloc(2 ** 23)));
  expect((await debianTexts(root)).map(({ name }) => name)).toEqual(["riddles"]);
});
