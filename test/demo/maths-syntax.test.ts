// What of an answer is taken for maths.
import { Marked } from "marked";
import { expect, test } from "vitest";
import { mathsSyntax } from "../../demo/maths-syntax.ts";

const marked = new Marked({
  gfm: true,
  breaks: true,
  extensions: mathsSyntax((source, display) => `<${display ? "display" : "inline"}: ${source}>`),
});
const maths = (text: string) => (marked.parse(text) as string).match(/<(?:display|inline): [^>]*>/g) ?? [];

test.each([
  ["the area is $a_1*b_2*c$.", ["<inline: $a_1*b_2*c$>"]],
  ["($y$), $x$-axis, 2$z$", ["<inline: $y$>", "<inline: $x$>"]],
  [String.raw`\(x_1\) and \[y\]`, [String.raw`<inline: \(x_1\)>`, String.raw`<display: \[y\]>`]],
  ["so $$x$$ is", ["<display: $$x$$>"]],
  ["so\n$$\na\n= b\n- c\n$$\nis", ["<display: $$\na\n= b\n- c\n$$>"]],
  ["\\[\n# a\n\\]", ["<display: \\[\n# a\n\\]>"]],
  ["- $a$\n\n  $$b$$\n", ["<inline: $a$>", "<display: $$b$$>"]],
  ["|a|\n|-|\n|$x$|", ["<inline: $x$>"]],
  [String.raw`$\$5 + x$`, [String.raw`<inline: $\$5 + x$>`]],
  ["from $5 to $10, and $x$", ["<inline: $x$>"]],
])("%j", (text, expected) => expect(maths(text)).toEqual(expected));

test.each([
  "$5 and $6",
  "between $5–$6",
  "**$5** or **$6**",
  "US$5 and AU$6$",
  "$HOME:$PATH and $ x $",
  "`$x$`",
  "```\n$x$\n```",
  "    $$x$$",
  "it costs $5.",
  "$$ here\n\nand there $$",
  "\\$x$",
  "$a `b$` c$d",
])("no maths: %j", (text) => expect(maths(text)).toEqual([]));
