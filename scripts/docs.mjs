// `npm run docs`: generates docs/api/ from docstrings. A public name without documentation is an error.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureDependencies, npm, root, run } from "./setup.mjs";

const folder = join(root, "docs");
const { devDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/**
 * TypeDoc needs TypeScript 6, which would clash with the project's own: it is installed in docs/ at first
 * use.
 */
const isInstalled = Object.entries(devDependencies).every(([name, version]) => {
  const file = join(folder, "node_modules", name, "package.json");
  return existsSync(file) && JSON.parse(readFileSync(file, "utf8")).version === version;
});

await ensureDependencies();
if (
  !isInstalled &&
  (await npm(["ci", "--prefix", "docs", "--no-audit", "--no-fund", "--loglevel=error"])) !== 0
)
  throw new Error("TypeDoc could not be installed: see npm's message above.");
const typedoc = join(folder, "node_modules", "typedoc", "bin", "typedoc");
process.exitCode = await run(process.execPath, [typedoc, "--options", join(folder, "typedoc.json")]);
