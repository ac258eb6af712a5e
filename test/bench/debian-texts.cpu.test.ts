// Texts of Debian's packages: those that are there, and files that are something else.
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
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
  // Of a packed file that would fill the memory, the beginning is read.
  writeFileSync(join(state!, "us-constitution.gz"), gzipSync(Buffer.alloc(2 ** 23, "a")));
  expect((await debianTexts(root)).map(({ text }) => text.length)).toEqual([2 ** 18, 7]);
});

test("notices before a text are left out, and verses lose their places", async () => {
  const root = mkdtempSync(join(tmpdir(), "sirocco-debian-"));
  const written = (path: string, data: string | Buffer, mode = 0o644): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), data, { mode });
  };
  written("usr/share/dictd/gcide.dict.dz", gzipSync("Begin file 1\nA \\A\\ (named a)"));
  written("usr/share/doc/jargon-text/jargon.txt.gz", gzipSync("another edition"));
  written("usr/bin/bible", "#!/bin/sh\necho 'Ge1:1 In the beginning'\necho 'Ge1:2 And the earth'\n", 0o755);
  expect(await debianTexts(root)).toEqual([
    { name: "dictionary", text: "A \\A\\ (named a)" },
    { name: "verses", text: "In the beginning\nAnd the earth\n" },
  ]);
});
