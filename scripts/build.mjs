// `npm run build`: dist/, one module for each source file with its declarations, dist-demo/ (build-site.mjs),
// and a copy of that in dist/ for `sirocco serve`. `--package`, before npm packs: what has changed since.
import { chmodSync, cpSync, existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSite, ensureSite, site } from "./build-site.mjs";
import { cached, newest, packageFile, swap, viteBuild, writeStamp } from "./build-steps.mjs";
import { ensureDependencies, root, run } from "./setup.mjs";

export const SOURCES = [
  "engine",
  "kernels",
  "tokenizer",
  "weights",
  "cli",
  "bench",
  "eval",
  "server",
  "package-lock.json",
];
export const CONFIGS = [
  "vite.config.ts",
  "vite.browser.config.ts",
  "scripts/test-parts-plugin.mjs",
  "scripts/wat-plugin.mjs",
  "scripts/wgsl-plugin.mjs",
  "tsconfig.json",
  "tsconfig.build.json",
  "models.json",
  "package.json",
  "scripts/build.mjs",
  "scripts/build-steps.mjs",
];

const dist = join(root, "dist");
const stamp = (/** @type {boolean} */ types) => cached(types ? "built" : "built-js");

/**
 * Builds dist/ if a source is newer than the last build.
 * @param {{ types?: boolean, silent?: boolean }} [options] `types`: with declarations; a run needs none
 * @returns {Promise<boolean>} false: the build failed and printed why
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

/** @param {{ types: boolean, silent?: boolean }} options */
async function build({ types, silent = false }) {
  const started = new Date();
  // Built in another folder and swapped in whole: a command that runs from dist/ never sees half of it.
  const next = cached(`dist-${process.pid}`);
  rmSync(next, { recursive: true, force: true });
  try {
    const outDir = ["--outDir", next];
    const quiet = ["--logLevel", silent ? "error" : "warn"];
    if (!(await viteBuild([...outDir, ...quiet]))) return false;
    const browser = ["--config", join(root, "vite.browser.config.ts"), "--outDir", join(next, "browser")];
    if (!(await viteBuild([...browser, ...quiet]))) return false;
    cpSync(join(root, "weights", "tiny-mistral"), join(next, "weights", "tiny-mistral"), { recursive: true });
    chmodSync(join(next, "cli", "main.js"), 0o755);
    const tsc = [packageFile("typescript", "bin/tsc"), "-p", "tsconfig.build.json", ...outDir];
    const typed = !types || (await run(process.execPath, tsc)) === 0;
    swap(next, dist);
    for (const each of [true, false]) rmSync(stamp(each), { force: true });
    if (!typed) return false;
    writeStamp(stamp(types), started);
    return true;
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
}

/**
 * Builds what npm packs, if a source is newer than the last build: dist/ with types, and the page in it.
 * @returns {Promise<boolean>} as `ensureBuild`
 */
export async function ensurePackage() {
  const built = (await ensureBuild({ types: true })) && (await ensureSite());
  if (built) addPage();
  return built;
}

/** The site without what dist/ has already, and without what only a static site needs. */
function addPage() {
  const unwanted = /\.safetensors$|site-files\.json$|service-worker\.js$/;
  rmSync(join(dist, "page"), { recursive: true, force: true });
  cpSync(site, join(dist, "page"), { recursive: true, filter: (path) => !unwanted.test(path) });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await ensureDependencies();
  const isPackage = process.argv.includes("--package");
  const built = isPackage ? await ensurePackage() : (await build({ types: true })) && (await buildSite());
  if (!built) process.exitCode = 1;
  else if (!isPackage) addPage();
}
