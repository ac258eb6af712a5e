// Rules for dist/browser/: how many bytes a page fetches before its first answer, no imports of packages,
// nothing that only tests use.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { root } from "./setup.mjs";
import { TEST_MEMBERS } from "./test-parts-plugin.mjs";

/** Limit for what a page and its worker load before the first weight, in bytes after gzip. */
const MAX_FIRST_BYTES = 70_000;
const ENTRIES = ["sirocco.js", "model-worker.js"];

/** A member of an object: `name:`, or `name(…) {`. */
const TEST_MEMBER = new RegExp(
  `[{,]\\s*(?:async\\s+)?(${TEST_MEMBERS.join("|")})\\s*(?::|\\([^()]*\\)\\s*\\{)`,
  "g",
);

/** Prints the size of each chunk. @returns {string[]} a problem each */
export function checkBrowserBundle() {
  const folder = join(root, "dist", "browser");
  const files = readdirSync(folder).filter((name) => name.endsWith(".js"));
  const code = new Map(files.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
  return [...checkSizes(code), ...checkImports(code), ...checkTestMembers(code)];
}

/** @param {ReadonlyMap<string, string>} code by file */
function checkSizes(code) {
  const first = loadedFirst(code);
  const sizes = [...code]
    .map(([name, text]) => ({ name, first: first.has(name), bytes: gzipSync(text, { level: 9 }).length }))
    .sort((a, b) => Number(b.first) - Number(a.first) || b.bytes - a.bytes);
  const total = sizes.reduce((sum, { first, bytes }) => sum + (first ? bytes : 0), 0);
  console.log(`        min+gzip before a first answer: ${total} bytes of at most ${MAX_FIRST_BYTES}`);
  for (const { name, first, bytes } of sizes)
    console.log(`        ${String(bytes).padStart(7)} ${name}${first ? "" : ", when first used"}`);
  if (total <= MAX_FIRST_BYTES) return [];
  return [
    `dist/browser: expected at most ${MAX_FIRST_BYTES} bytes before a first answer, found ${total}. Find what grew, ` +
      "or import it when it is first used.",
  ];
}

/** @param {ReadonlyMap<string, string>} code */
const checkImports = (code) =>
  [...code].flatMap(([file, text]) =>
    [...text.matchAll(/\b(?:from|import ?\(?)["'`]([^."'`]+)["'`]/g)].map(
      ([, name]) => `dist/browser/${file}: expected no import of a package, found ${name}. Bundle it.`,
    ),
  );

/** @param {ReadonlyMap<string, string>} code */
const checkTestMembers = (code) =>
  [...code].flatMap(([file, text]) =>
    [...text.matchAll(TEST_MEMBER)].map(
      ({ 1: name, index }) =>
        `dist/browser/${file}: expected no member that only tests use, found ${name} in ` +
        `"${text.slice(index, index + 60)}". Write the kernel as one object, or teach test-parts-plugin.mjs.`,
    ),
  );

/**
 * The entries, and what they import, directly or not. Dynamic imports are not followed.
 * @param {ReadonlyMap<string, string>} code
 */
function loadedFirst(code) {
  const found = new Set(ENTRIES);
  for (const name of found) {
    const imports = (code.get(name) ?? "").matchAll(/\b(?:from|import)\s*["']\.\/([^"']+)["']/g);
    for (const [, file] of imports) if (file) found.add(file);
  }
  return found;
}
