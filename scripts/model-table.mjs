// Writes the table of models in README.md and docs/models.md from models.json: node scripts/model-table.mjs
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./setup.mjs";

/** Pages with the table, between these two lines. */
export const pages = ["README.md", "docs/models.md"];
const BEGIN = "<!-- models.json: node scripts/model-table.mjs -->";
const END = "<!-- end of models.json -->";

/**
 * @typedef {{ aliases: string[], title: string, about: string, source: string | null, downloadBytes: number,
 *   gpuBytes: number, gated: boolean, licence: string }} Row
 */

const size = (/** @type {number} */ bytes) =>
  bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toPrecision(3)} GB`;

/** @returns {string} */
export function modelTable() {
  /** @type {Row[]} */
  const rows = JSON.parse(readFileSync(join(root, "models.json"), "utf8"));
  const lines = rows.map(({ aliases, title, about, source, downloadBytes, gpuBytes, gated, licence }) => {
    const page = source && `https://huggingface.co/${source.split("/").slice(0, 2).join("/")}`;
    const cells = [
      `\`${aliases[0]}\``,
      page ? `[${title}](${page})` : title,
      about.replace(/\.$/, ""),
      source ? size(downloadBytes) : "none",
      size(gpuBytes),
      `${licence}${gated ? ", terms to accept" : ""}`,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| `--model` | model | for | download | GPU memory | licence |",
    "|---|---|---|---|---|---|",
    ...lines,
  ].join("\n");
}

/**
 * The page with the table in its place.
 * @param {string} text
 */
export function withTable(text) {
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`expected the lines ${BEGIN} and ${END}, found none`);
  return `${text.slice(0, before)}${BEGIN}\n${modelTable()}\n${text.slice(after)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const page of pages) {
    const path = join(root, page);
    writeFileSync(path, withTable(readFileSync(path, "utf8")));
  }
}
