// `npm run check`: everything short of running the code. One line a step; the details only where a step fails.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { staleBugs } from "./bugs.mjs";
import { ensureBuild } from "./build.mjs";
import { checkImports } from "./dag.mjs";
import { ensureDependencies, root } from "./setup.mjs";

/** @returns {string} what is wrong; empty: nothing */
const tool = (/** @type {string} */ file, /** @type {string[]} */ ...args) => {
  const path = join(root, "node_modules", ...file.split("/"));
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [path, ...args], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
  });
  return status === 0 ? "" : [error?.message, stdout, stderr].filter(Boolean).join("\n");
};

async function packageProblems() {
  if (!(await ensureBuild({ types: true }))) return "the build failed";
  const [{ publint }, { formatMessage }] = await Promise.all([import("publint"), import("publint/utils")]);
  const { messages, pkg } = await publint({ pkgDir: root, strict: true });
  return messages.map((message) => formatMessage(message, pkg)).join("\n");
}

/** Engine, kernels, tokenizer and dependencies: what a page and its worker fetch before the first weight. */
const MOST_FIRST_BYTES = 70_000;
const BROWSER_ENTRIES = ["sirocco.js", "model-worker.js"];

function browserBundle() {
  const folder = join(root, "dist", "browser");
  const files = readdirSync(folder).filter((name) => name.endsWith(".js"));
  const code = new Map(files.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
  const kB = (/** @type {number} */ bytes) => (bytes / 1000).toFixed(1);
  const sizes = new Map([...code].map(([name, text]) => [name, gzipSync(text, { level: 9 }).length]));
  const first = fetchedFirst(code);
  const bytes = [...first].reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
  const later = [...sizes].filter(([name]) => !first.has(name));
  console.log(`        browser, min+gzip: ${kB(bytes)} kB before a first answer, of ${kB(MOST_FIRST_BYTES)}`);
  console.log(`        when first used: ${later.map(([name, size]) => `${name} ${kB(size)}`).join(", ")}`);
  const foreign = [...code.values()].flatMap((text) => [
    ...text.matchAll(/\b(?:from|import ?\(?)["'`]([^."'`]+)["'`]/g),
  ]);
  return [
    bytes > MOST_FIRST_BYTES &&
      `expected at most ${MOST_FIRST_BYTES} bytes in ${[...first].join(", ")}, got ${bytes}. Find what grew.`,
    ...foreign.map(([, name]) => `expected a bundle that imports no package, got ${name}. Bundle it.`),
  ]
    .filter(Boolean)
    .join("\n");
}

/**
 * The entries and what they import, directly or not. A dynamic import is not followed.
 * @param {ReadonlyMap<string, string>} code
 */
function fetchedFirst(code) {
  const found = new Set(BROWSER_ENTRIES);
  for (const name of found) {
    const imports = (code.get(name) ?? "").matchAll(/\b(?:from|import)\s*["']\.\/([^"']+)["']/g);
    for (const [, file] of imports) if (file) found.add(file);
  }
  return found;
}

/** Types and imports as TypeScript's resolution modes find them in the tarball. */
const typeResolution = () =>
  tool(
    "@arethetypeswrong/cli/dist/index.js",
    "--pack",
    ".",
    "--profile",
    "esm-only",
    "--no-emoji",
    "--no-color",
  );

/** @type {[name: string, step: () => string | Promise<string>][]} */
const steps = [
  ["types", () => tool("typescript/bin/tsc", "--noEmit")],
  ["lint and format (npm run fix)", () => tool("@biomejs/biome/bin/biome", "ci", "--colors=off", ".")],
  ["import rules", () => checkImports().join("\n")],
  ["known bugs (npm run prove)", () => staleBugs().join("\n")],
  ["dead code and dependencies", () => tool("knip/bin/knip.js", "--no-progress")],
  ["package", packageProblems],
  ["type resolution", typeResolution],
  ["browser bundle", browserBundle],
];

await ensureDependencies();
let failed = 0;
for (const [name, step] of steps) {
  const problems = await step();
  if (problems) failed++;
  console.log(`${problems ? "failed" : "ok    "}  ${name}`);
  if (problems) console.log(problems.replace(/^/gm, "        "));
}
process.exitCode = failed > 0 ? 1 : 0;
