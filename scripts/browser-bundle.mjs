// Rules for dist/browser/: how many bytes a page fetches before its first answer, and how many for each chunk
// that it fetches later, no imports of packages, nothing that only tests use, and no use of it.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { root } from "./setup.mjs";
import { TEST_MEMBERS } from "./test-parts-plugin.mjs";

/** Limit for what a page and its worker load before the first weight, in bytes after gzip. */
const MAX_FIRST_BYTES = 76_000;

/**
 * Limits for the chunks that are fetched when they are first used, in bytes after gzip: their size when they
 * were listed, and about a tenth more.
 * @type {Readonly<Record<string, number>>}
 */
const MAX_LAZY_BYTES = {
  "calling.js": 3_700,
  "call-grammar.js": 900,
  "check.js": 960,
  "template-variables.js": 720,
  "tool-ids.js": 380,
  "compile.js": 14_400,
  "answer-constraint.js": 3_750,
  "answer-format.js": 2_450,
  "token-bytes.js": 2_100,
  "extract.js": 600,
  "whole-answer.js": 420,
  "added-calls.js": 180,
  "rolldown-runtime.js": 200,
  "chat-template.js": 24_800,
  "model-folders.js": 4_400,
  "quantised-checkpoint.js": 9_800,
  "tune.js": 6_400,
  "request.js": 3_750,
  "quiet-fields.js": 1_150,
  "read-messages.js": 730,
  "tuned-shaders.js": 7_200,
  "inspect.js": 2_600,
  "saved-ring.js": 2_250,
  "store.js": 2_000,
  "chat.js": 1_560,
  "gguf-reader.js": 11_500,
  "other-vocabulary.js": 4_950,
  "byte-level.js": 1_300,
  "embedded.js": 750,
  "hub-page.js": 760,
  "packed-window.js": 400,
  "lost-window.js": 350,
  "missing-file.js": 1_200,
  "local-hash.js": 1_200,
  "hash-client.js": 900,
  "hash-worker.js": 400,
  "tuning.js": 800,
  "tuned-formats.js": 1_400,
  "q4a-shaders.js": 1_250,
  "tuned-caches.js": 1_000,
  "quantise-shaders.js": 3_700,
  "nudge.js": 800,
  "cpu-client.js": 16_000,
  "codes.js": 2_050,
  "executor.js": 10_400,
  "cpu-worker.js": 400,
  "architectures.js": 1_100,
  "architecture-shaders.js": 800,
  "file-layouts.js": 900,
  "join-vectors.js": 300,
  "thinking.js": 1_200,
  "rope-scaling.js": 900,
  "scaled-angles.js": 500,
  "classify.js": 1_900,
  "moderate.js": 1_050,
  "safe-prompt.js": 330,
  "passes.js": 980,
  "score.js": 620,
  "add.js": 7_150,
  "place.js": 4_850,
  "chosen.js": 840,
  "lora.js": 360,
};

const ENTRIES = ["sirocco.js", "model-worker.js"];

/** A member of an object: `name:`, or `name(…) {`. */
const TEST_MEMBER = new RegExp(
  `[{,]\\s*(?:async\\s+)?(${TEST_MEMBERS.join("|")})\\s*(?::|\\([^()]*\\)\\s*\\{)`,
  "g",
);

/** A use of such a member, which is undefined there: `.name(`; arrays have a `fill`. */
const TEST_MEMBER_USED = new RegExp(
  `(?<!\\bMath)\\.(${TEST_MEMBERS.filter((name) => name !== "fill").join("|")})\\s*\\(`,
  "g",
);

/**
 * Uses that stay: the CPU device runs the reference of a kernel without a CPU half. All have one
 * (test/kernels/cpu/halves.cpu.test.ts).
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const MAY_USE = { "cpu-client.js": ["reference"] };

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
    console.log(`        ${String(bytes).padStart(7)} ${name}${first ? "" : lazyNote(name)}`);
  const problems = checkLazy(
    new Map(sizes.flatMap(({ name, first, bytes }) => (first ? [] : [[name, bytes]]))),
  );
  if (total <= MAX_FIRST_BYTES) return problems;
  return [
    `dist/browser: expected at most ${MAX_FIRST_BYTES} bytes before a first answer, found ${total}. Find what grew, ` +
      "or import it when it is first used.",
    ...problems,
  ];
}

const lazyNote = (/** @type {string} */ name) =>
  ` of at most ${MAX_LAZY_BYTES[name] ?? "?"}, when first used`;

/** @param {ReadonlyMap<string, number>} lazy bytes after gzip by file */
function checkLazy(lazy) {
  const table = "MAX_LAZY_BYTES in scripts/browser-bundle.mjs";
  const gone = Object.keys(MAX_LAZY_BYTES).filter((name) => !lazy.has(name));
  return [
    ...[...lazy].flatMap(([name, bytes]) => {
      const limit = MAX_LAZY_BYTES[name];
      if (limit === undefined)
        return `dist/browser/${name}: expected a chunk of ${table}, found a new one. List it: ${name}, ${bytes} bytes.`;
      if (bytes <= limit) return [];
      return `dist/browser/${name}: expected at most ${limit} bytes, found ${bytes}. Find what grew, or raise ${table}.`;
    }),
    ...gone.map((name) => `dist/browser: expected the chunk ${name}, found none. Remove it from ${table}.`),
  ];
}

/** @param {ReadonlyMap<string, string>} code */
const checkImports = (code) =>
  [...code].flatMap(([file, text]) =>
    [...text.matchAll(/\b(?:from|import ?\(?)["'`]([^."'`,]+)["'`]/g)].map(
      ([, name]) => `dist/browser/${file}: expected no import of a package, found ${name}. Bundle it.`,
    ),
  );

/** @param {ReadonlyMap<string, string>} code */
const checkTestMembers = (code) =>
  [...code].flatMap(([file, text]) => [
    ...[...text.matchAll(TEST_MEMBER)].map(
      ({ 1: name, index }) =>
        `dist/browser/${file}: expected no member that only tests use, found ${name} in ` +
        `"${text.slice(index, index + 60)}". Write the kernel as one object, or teach test-parts-plugin.mjs.`,
    ),
    ...[...text.matchAll(TEST_MEMBER_USED)]
      .filter(([, name = ""]) => !MAY_USE[file]?.includes(name))
      .map(
        ({ 1: name, index }) =>
          `dist/browser/${file}: expected no use of ${name}, which test-parts-plugin.mjs drops, found ` +
          `"${text.slice(Math.max(0, index - 30), index + 30)}". Use a function that is no member.`,
      ),
  ]);

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
