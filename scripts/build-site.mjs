// The second half of `npm run build`: dist-demo/, the demo as a static site. The tests that drive it ask for it, too.
import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bin, newest, swap } from "./build.mjs";
import { root, run } from "./setup.mjs";

const SOURCES = ["demo", "engine", "kernels", "tokenizer", "weights", "package.json", "package-lock.json"];

const site = join(root, "dist-demo");
const stamp = join(root, "node_modules", ".cache", "sirocco", "built-site");

/**
 * Builds the site where a source is newer than it.
 * @returns {Promise<boolean>} false: it failed, and said why
 */
export async function ensureSite() {
  const fresh =
    existsSync(join(site, "index.html")) &&
    existsSync(stamp) &&
    SOURCES.every((path) => newest(join(root, path)) < newest(stamp));
  return fresh || buildSite();
}

export async function buildSite() {
  const started = new Date();
  // Built beside dist-demo/ and swapped in whole, so that who serves it never serves half of it.
  const next = join(root, "node_modules", ".cache", "sirocco", `site-${process.pid}`);
  try {
    const args = ["build", "demo", "--outDir", next, "--emptyOutDir", "--logLevel", "warn"];
    // Vitest says "test", and would get Lit's development build.
    const env = { NODE_ENV: "production" };
    if ((await run(process.execPath, [bin("vite", "bin/vite.js"), ...args], { env })) !== 0) return false;
    swap(next, site);
    mkdirSync(dirname(stamp), { recursive: true });
    writeFileSync(stamp, "");
    // The time at which reading began: what was edited meanwhile counts as newer.
    utimesSync(stamp, started, started);
    return true;
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
}
