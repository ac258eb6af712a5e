// `npm run build`: dist/ mirrors the source tree, one module for one module, with declarations beside them. (And the site:
// build-site.mjs.)
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureDependencies, root, run } from "./setup.mjs";

export const SOURCES = [
  "engine",
  "kernels",
  "tokenizer",
  "weights",
  "cli",
  "bench",
  "server",
  "package-lock.json",
];
export const CONFIGS = [
  "vite.config.ts",
  "vite.browser.config.ts",
  "scripts/test-parts-plugin.mjs",
  "scripts/wgsl-plugin.mjs",
  "tsconfig.json",
  "tsconfig.build.json",
  "package.json",
  "scripts/build.mjs",
];

const dist = join(root, "dist");
const stamp = (/** @type {boolean} */ types) =>
  join(root, "node_modules", ".cache", "sirocco", types ? "built" : "built-js");

/**
 * Builds where a source is newer than the last build.
 * @param {{ types?: boolean, silent?: boolean }} [options] `types`: with declarations, which a run does not need
 * @returns {Promise<boolean>} false: it failed, and said why
 */
export async function ensureBuild({ types = false, silent = false } = {}) {
  return isFresh(types) || build({ types, silent });
}

/** @param {boolean} types */
function isFresh(types) {
  const built = [stamp(true), ...(types ? [] : [stamp(false)])].filter((file) => existsSync(file));
  const last = Math.max(0, ...built.map((file) => statSync(file).mtimeMs));
  const entries = [
    "browser/sirocco.js",
    "engine/index.js",
    "engine/node.js",
    "engine/model-worker.js",
    "cli/main.js",
    "weights/tiny-mistral/config.json",
  ];
  return (
    entries.every((file) => existsSync(join(dist, file))) &&
    [...SOURCES, ...CONFIGS].every((path) => newest(join(root, path)) < last)
  );
}

/**
 * @param {string} path
 * @returns {number}
 */
export function newest(path) {
  const stats = statSync(path);
  // A folder's own time tells of files that were removed or renamed.
  return stats.isDirectory()
    ? readdirSync(path).reduce((time, name) => Math.max(time, newest(join(path, name))), stats.mtimeMs)
    : stats.mtimeMs;
}

/** @param {{ types: boolean, silent?: boolean }} options */
async function build({ types, silent = false }) {
  const started = new Date();
  // Built beside dist/ and swapped in whole: a command that runs from dist/ never sees half of it.
  const next = join(root, "node_modules", ".cache", "sirocco", `dist-${process.pid}`);
  rmSync(next, { recursive: true, force: true });
  try {
    const outDir = ["--outDir", next];
    const quiet = ["--logLevel", silent ? "error" : "warn"];
    if ((await run(process.execPath, [bin("vite", "bin/vite.js"), "build", ...outDir, ...quiet])) !== 0)
      return false;
    const browser = ["--config", join(root, "vite.browser.config.ts"), "--outDir", join(next, "browser")];
    if ((await run(process.execPath, [bin("vite", "bin/vite.js"), "build", ...browser, ...quiet])) !== 0)
      return false;
    cpSync(join(root, "weights", "tiny-mistral"), join(next, "weights", "tiny-mistral"), { recursive: true });
    chmodSync(join(next, "cli", "main.js"), 0o755);
    const tsc = [bin("typescript", "bin/tsc"), "-p", "tsconfig.build.json", ...outDir];
    const typed = !types || (await run(process.execPath, tsc)) === 0;
    swap(next, dist);
    for (const each of [true, false]) rmSync(stamp(each), { force: true });
    if (!typed) return false;
    mkdirSync(dirname(stamp(types)), { recursive: true });
    writeFileSync(stamp(types), "");
    // The time at which reading began: what was edited meanwhile counts as newer.
    utimesSync(stamp(types), started, started);
    return true;
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
}

/**
 * Puts the folder `next` in the place of `folder`.
 * @param {string} next
 * @param {string} folder
 */
export function swap(next, folder) {
  const old = `${next}-old`;
  if (existsSync(folder)) renameSync(folder, old);
  renameSync(next, folder);
  rmSync(old, { recursive: true, force: true });
}

/**
 * @param {string} name
 * @param {string} file
 */
export const bin = (name, file) => join(root, "node_modules", name, file);

async function main() {
  await ensureDependencies();
  const { buildSite } = await import("./build-site.mjs");
  if (!(await build({ types: true })) || !(await buildSite())) process.exitCode = 1;
}

// Not awaited: build-site.mjs waits for this very module.
if (process.argv[1] === fileURLToPath(import.meta.url)) void main();
