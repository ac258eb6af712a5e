// Text files in a message: which are read, and how they are written and found again.
import { expect, test } from "vitest";
import { joinMessage, readTextFile, splitMessage } from "../../demo/text-files.ts";

const file = (content: string | number[], name = "notes.txt") =>
  new File([typeof content === "string" ? content : new Uint8Array(content)], name);

test("text in UTF-8 is read, with or without a byte order mark, with any ends of lines", async () => {
  expect(await readTextFile(file("é\r\nb\r\n"), 0)).toEqual({ name: "notes.txt", text: "é\nb" });
  expect((await readTextFile(file([0xef, 0xbb, 0xbf, 0x61]), 0)).text).toBe("a");
});

test.each([
  ["a picture", file([0x89, 0x50, 0x4e, 0x47, 0, 1], "cat.png"), 0, /^cat\.png is not a text file/],
  ["Latin-1", file([0x61, 0xe9, 0x62]), 0, /^notes\.txt is not text in UTF-8/],
  ["UTF-16", file([0xff, 0xfe, 0x61, 0]), 0, /^notes\.txt is text in UTF-16/],
  ["nothing", file(""), 0, /^notes\.txt is empty/],
  ["one too large", file("x".repeat(128_001)), 0, /^notes\.txt \(128 kB\) is too large.*32,000 tokens/],
  ["one too many", file("x".repeat(1000)), 127_500, /^notes\.txt \(1 kB\) is too large/],
])("%s is refused by name", async (_, given, held, message) => {
  await expect(readTextFile(given, held)).rejects.toThrow(message);
});

test("files are fenced under their names, and found again", () => {
  const files = [
    { name: "a.py", text: "print('`')\n\n# x" },
    { name: "READ ME.md", text: "```js\n1\n```\n\n`a.py`:" },
    { name: "Makefile", text: "all:" },
  ];
  const message = joinMessage(" What is this? ", files);
  expect(message).toContain(
    "What is this?\n\n`a.py`:\n\n```py\nprint('`')\n\n# x\n```\n\n`READ ME.md`:\n\n````md\n",
  );
  expect(splitMessage(message)).toEqual({ words: "What is this?", files });
  expect(splitMessage(joinMessage("", files))).toEqual({ words: "", files });
});

test("code that somebody wrote stays a part of the words", () => {
  for (const words of ["See `a.py`:\n\n```py\n1\n```", "```\n1\n```", "`a.py`:\n\n```py\n1\n``` and more"])
    expect(splitMessage(words)).toEqual({ words, files: [] });
});
