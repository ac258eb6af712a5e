// Installs dependencies and runs commands, for the other scripts. Imports Node's own modules only: it runs
// before anything is installed.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Options of npm's installations. */
export const QUIET = ["--no-audit", "--no-fund", "--loglevel=error"];

/** Installs what package-lock.json lists, unless all of it is there in that version. */
export async function ensureDependencies() {
  if (installed()) return;
  console.log("Installing dependencies (about 140 MB) ...");
  if ((await npm(["ci", ...QUIET])) === 0) return;
  // Some registry mirrors lack packages that the lock file names for other platforms; `npm ci` then refuses
  // all.
  console.log("`npm ci` failed; trying without the lock file ...");
  if ((await npm(["install", "--no-save", "--no-package-lock", ...QUIET])) === 0) return;
  throw new Error("The dependencies could not be installed: see npm's message above.");
}

/** Compares versions, not times: a checkout touches the lock file without changing it. */
function installed() {
  const hidden = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(hidden)) return false;
  const have = JSON.parse(readFileSync(hidden, "utf8")).packages;
  const want = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  // Optional packages are those of other platforms, except webgpu, which we need.
  return Object.keys(want).every(
    (path) =>
      path === "" ||
      (want[path].optional && !have[path] && path !== "node_modules/webgpu") ||
      have[path]?.version === want[path].version,
  );
}

/** @param {string[]} args */
export function npm(args) {
  const cli = process.env["npm_execpath"];
  // On Windows npm is a .cmd file, which only a shell starts.
  return cli?.endsWith(".js")
    ? run(process.execPath, [cli, ...args])
    : run("npm", args, { shell: process.platform === "win32" });
}

/** Lines of Dawn and of the Vulkan loader that are of no use to a user. */
const NOISE =
  /artificially reduced from|^Error: Loader Message|^Warning: (vkEnumeratePhysicalDevices|Couldn't load Vulkan)|^ +at (GatherPhysicalDevices|operator\(\))/;

/**
 * Runs a command in the foreground and resolves to its exit code. Ctrl-C reaches it through the terminal.
 * @typedef {{ env?: Record<string, string | undefined>, shell?: boolean }} Environment
 * @typedef {{ hideNoise?: boolean, silent?: boolean, stdin?: boolean }} Streams
 * @param {string} command
 * @param {string[]} args
 * @param {Environment & Streams} [options]
 * @returns {Promise<number>}
 */
export function run(
  command,
  args,
  { env = {}, shell = false, hideNoise = false, silent = false, stdin = true } = {},
) {
  const stdout = silent ? "ignore" : "inherit";
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    shell,
    stdio: [stdin ? "inherit" : "ignore", stdout, hideNoise ? "pipe" : stdout],
  });
  if (child.stderr) {
    let wasNoise = false;
    createInterface({ input: child.stderr }).on("line", (line) => {
      // An empty line ends what a driver prints.
      const isNoise = NOISE.test(line) || (wasNoise && line === "");
      wasNoise = isNoise;
      if (!isNoise) process.stderr.write(`${line}\n`);
    });
  }
  const wait = () => {};
  const passOn = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
  process.on("SIGINT", wait).on("SIGTERM", passOn).on("SIGHUP", passOn);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("SIGINT", wait).off("SIGTERM", passOn).off("SIGHUP", passOn);
      resolve(code ?? (signal === "SIGINT" ? 130 : 1));
    });
  });
}
