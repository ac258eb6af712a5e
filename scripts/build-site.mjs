// The second half of `npm run build`: dist-demo/, the demo as a static site. The browser tests call it, too.
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cached, newest, swap, viteBuild, writeStamp } from "./build-steps.mjs";
import { root } from "./setup.mjs";

const SOURCES = [
  "demo",
  "engine",
  "kernels",
  "tokenizer",
  "weights",
  "models.json",
  "package.json",
  "package-lock.json",
];

export const site = join(root, "dist-demo");
const stamp = cached("built-site");

/**
 * Builds the site if a source is newer than it.
 * @returns {Promise<boolean>} false: the build failed and printed why
 */
export async function ensureSite() {
  const fresh =
    existsSync(join(site, "index.html")) &&
    existsSync(stamp) &&
    SOURCES.every((path) => newest(join(root, path)) < newest(stamp));
  return fresh || buildSite();
}

/** @returns {Promise<boolean>} as `ensureSite` */
export async function buildSite() {
  const started = new Date();
  // Built in another folder and swapped in whole: a server of dist-demo/ never serves half of it.
  const next = cached(`site-${process.pid}`);
  try {
    const args = ["demo", "--outDir", next, "--emptyOutDir", "--logLevel", "warn"];
    // Vitest sets it to "test", which would bundle Lit's development build.
    if (!(await viteBuild(args, { NODE_ENV: "production" }))) return false;
    swap(next, site);
    writeStamp(stamp, started);
    return true;
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
}
