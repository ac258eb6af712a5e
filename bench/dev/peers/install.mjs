// Installs other engines when they are measured, into node_modules/.cache. They are not dependencies of the
// package.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const cache = fileURLToPath(new URL("../../../node_modules/.cache/sirocco/peers", import.meta.url));

/**
 * @param {string} name of a folder in the cache
 * @param {Record<string, string>} packages names and exact versions, the main one first
 * @param {AbortSignal} signal
 * @returns {Promise<string>} folder of the main package
 * @throws Error that says what to do
 */
export async function install(name, packages, signal) {
  const folder = join(cache, name);
  const missing = Object.entries(packages).filter(([one, version]) => installed(folder, one) !== version);
  if (missing.length > 0) {
    const wanted = missing.map(([one, version]) => `${one}@${version}`);
    console.error(`installing ${wanted.join(" ")} into ${folder} ...`);
    mkdirSync(folder, { recursive: true });
    if (!existsSync(join(folder, "package.json")))
      writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
    const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
    // No scripts: they would download or build backends. The platform's binaries are among the packages.
    const all = Object.entries(packages).map(([one, version]) => `${one}@${version}`);
    await npm(
      ["install", "--ignore-scripts", "--omit=optional", "--save-exact", ...quiet, ...all],
      folder,
      signal,
    );
  }
  return join(folder, "node_modules", Object.keys(packages)[0] ?? "");
}

function installed(/** @type {string} */ folder, /** @type {string} */ name) {
  const file = join(folder, "node_modules", name, "package.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).version : undefined;
}

/** @param {string[]} args @param {string} cwd @param {AbortSignal} signal */
function npm(args, cwd, signal) {
  const cli = process.env["npm_execpath"];
  const [command, rest] = cli?.endsWith(".js") ? [process.execPath, [cli, ...args]] : ["npm", args];
  const child = spawn(command, rest, { cwd, signal, stdio: ["ignore", "ignore", "inherit"] });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0
        ? resolve(undefined)
        : reject(new Error(`npm ${args[0]}: expected it to end with 0, got ${code}. Is there a network?`)),
    );
  });
}
