// How maths is written in Markdown: $…$, $$…$$, \(…\) and \[…\]. Prices are no maths: "$5 and $6".
import type { TokenizerAndRendererExtension } from "marked";

/** Without an empty line in between. */
const LINES = String.raw`((?:(?!\n[ \t]*\n)[\s\S])+?)`;
const DISPLAY = String.raw`(?:\$\$${LINES}\$\$|\\\[${LINES}\\\])`;
const BLOCK = new RegExp(String.raw`^ {0,3}${DISPLAY}[ \t]*(?:\n+|$)`);
const INLINE_DISPLAY = new RegExp(`^${DISPLAY}`);
const PARENTHESES = new RegExp(String.raw`^\\\(${LINES}\\\)`);
/** No space within the dollars, no code, no letter or digit after them. */
const DOLLARS = /^\$(?![\s$])((?:\\[^\n]|[^$\\`\n])*?(?:\\[^\n]|[^\s$\\`]))\$(?![\w$])/;

/**
 * @param render makes HTML of the source with its delimiters
 * @returns extensions of marked
 */
export function mathsSyntax(
  render: (source: string, display: boolean) => string,
): TokenizerAndRendererExtension[] {
  return [
    {
      name: "maths-block",
      level: "block",
      start: (source) => place(source, /\n {0,3}(?:\$\$|\\\[)/),
      tokenizer(source) {
        const raw = BLOCK.exec(source)?.[0];
        return raw === undefined ? undefined : { type: "maths-block", raw };
      },
      renderer: ({ raw }) => `<p>${render(raw.trim(), true)}</p>\n`,
    },
    {
      name: "maths",
      level: "inline",
      start: (source) => place(source, /\$|\\[([]/),
      tokenizer(source, before) {
        const afterWord = /[\w$]$/.test(before.at(-1)?.raw ?? "");
        const raw = (INLINE_DISPLAY.exec(source) ??
          PARENTHESES.exec(source) ??
          (afterWord ? null : DOLLARS.exec(source)))?.[0];
        return raw === undefined ? undefined : { type: "maths", raw };
      },
      renderer: ({ raw }) => render(raw, /^(\$\$|\\\[)/.test(raw)),
    },
  ];
}

function place(source: string, pattern: RegExp): number | undefined {
  const index = source.search(pattern);
  return index < 0 ? undefined : index;
}
