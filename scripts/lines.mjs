// How long lines and files may be. Biome breaks code at 110 columns, but neither comments nor shaders.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./setup.mjs";
import { CODE_FOLDERS, sourceFiles } from "./source-files.mjs";

const MAX_COLUMNS = 110;
const MAX_LINES = 350;

const FOLDERS = [...CODE_FOLDERS, "test", "examples", "docs"];

/**
 * The text of a comment, on its own line or after code. Assumes that `//` in a string has no blank before it.
 */
const COMMENT = /^\s*(?:\/\/|\/?\*)\s*(.*)|\s\/\/ (.*)/;

/** @returns {string[]} a problem each */
export const checkLines = () =>
  ["", ...FOLDERS]
    .flatMap((folder) => sourceFiles(folder, /\.(ts|mjs|wgsl)$/))
    .flatMap((file) => {
      const lines = readFileSync(join(root, file), "utf8").split("\n");
      const isShort = CODE_FOLDERS.some((folder) => file.startsWith(`${folder}/`));
      return [...longLines(file, lines), ...(isShort ? longFile(file, lines) : [])];
    });

/**
 * @param {string} file
 * @param {readonly string[]} lines
 */
const longLines = (file, lines) =>
  lines.flatMap((line, i) => {
    const columns = [...line].length;
    if (columns <= MAX_COLUMNS) return [];
    const [comment, alone, behind] = COMMENT.exec(line) ?? [];
    if (!file.endsWith(".wgsl") && comment === undefined) return [];
    // A long address cannot be broken.
    if (/^\S+$/.test(alone ?? behind ?? "")) return [];
    return `${file}:${i + 1}: expected at most ${MAX_COLUMNS} columns, found ${columns}.`;
  });

/**
 * @param {string} file
 * @param {readonly string[]} lines
 */
function longFile(file, lines) {
  const count = lines.length - 1;
  if (count <= MAX_LINES) return [];
  return [
    `${file}:${count}: expected at most ${MAX_LINES} lines, found ${count}. Split the file by subject.`,
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = checkLines();
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
