// Words that wrap while they stream, on a terminal that knows just enough.
import stringWidth from "string-width";
import { expect, test } from "vitest";
import { WordWrap } from "../../cli/word-wrap.ts";

/** The lines of a terminal of unlimited width, for text, line feeds, and "erase from column n". */
function screen(sent: string): string[] {
  const lines = [""];
  for (const [piece] of sent.matchAll(/\n|\u001b\[\d+G\u001b\[K|[^\n\u001b]+/g)) {
    const last = lines.at(-1) as string;
    if (piece === "\n") lines.push("");
    else if (piece[0] !== "\u001b") lines[lines.length - 1] = last + piece;
    else {
      const column = Number.parseInt(piece.slice(2), 10) - 1;
      let kept = "";
      for (const { segment } of new Intl.Segmenter().segment(last))
        if (stringWidth(kept + segment) <= column) kept += segment;
        else break;
      lines[lines.length - 1] = kept;
    }
  }
  return lines.map((line) => line.trimEnd());
}

function wrapped(pieces: readonly string[], columns: number): string[] {
  const wrap = new WordWrap(() => columns);
  return screen(pieces.map((piece) => wrap.push(piece)).join(""));
}

const FAMILY = "👨‍👩‍👧";

test.each([
  ["words", "The quick brown fox jumps over it.", 10, ["The quick", "brown fox", "jumps over", "it."]],
  ["line ends at the edge", "0123456789\nab 0123456 \nc", 10, ["0123456789", "ab 0123456", "c"]],
  ["indents", "a\n    b c\n", 10, ["a", "    b c", ""]],
  ["a word longer than the line", "ab 0123456789abc", 10, ["ab", "0123456789", "abc"]],
  ["wide characters", "ab 你好世界你好", 8, ["ab 你好", "世界你好"]],
  [
    "emoji of several code points",
    `abc ${FAMILY}${FAMILY}${FAMILY}`,
    5,
    ["abc", `${FAMILY}${FAMILY}`, FAMILY],
  ],
  ["combining marks", "abcde\u0301fg", 5, ["abcde\u0301", "fg"]],
])("%s, whole or a code point at a time", (_, text, columns, lines) => {
  expect(wrapped([text], columns)).toEqual(lines);
  expect(wrapped([...text], columns)).toEqual(lines);
});

test("a terminal that changes its width is followed", () => {
  let columns = 20;
  const wrap = new WordWrap(() => columns);
  const first = wrap.push("one two three four\n");
  columns = 8;
  expect(screen(first + wrap.push("one two three four"))).toEqual([
    "one two three four",
    ...["one two", "three", "four"],
  ]);
});
