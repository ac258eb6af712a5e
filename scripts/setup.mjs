// What `npm start`, `npm test` and `npm run check` need first: dependencies and a fresh build. Node's own modules only.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Installs what package-lock.json lists where it is not there, or not in that version. */
export async function ensureDependencies() {
  if (installed()) return;
  console.log("Installing dependencies (about 200 MB) ...");
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  if ((await npm(["ci", ...quiet])) === 0) return;
  // Some registry mirrors lack packages that the lock file names for other platforms; `npm ci` then refuses all.
  console.log("`npm ci` failed; trying without the lock file ...");
  if ((await npm(["install", "--no-save", "--no-package-lock", ...quiet])) === 0) return;
  throw new Error("The dependencies could not be installed: see npm's message above.");
}

/** By contents, not by time: a checkout touches the lock file without changing what it asks for. */
function installed() {
  const hidden = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(hidden)) return false;
  const have = JSON.parse(readFileSync(hidden, "utf8")).packages;
  const want = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  // Optional packages are for other platforms, except one that `dependencies` of ours would miss.
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

/** Lines Dawn and the Vulkan loader write that tell a user nothing. */
const NOISE =
  /artificially reduced from|^Error: Loader Message|^Warning: vkEnumeratePhysicalDevices|^ +at GatherPhysicalDevices/;

/**
 * Runs a command in the foreground and gives its exit code. Ctrl-C reaches it through the terminal; we wait for its end.
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string | undefined>, shell?: boolean, hideNoise?: boolean, silent?: boolean, stdin?: boolean }} [options]
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
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (!NOISE.test(line)) process.stderr.write(`${line}\n`);
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
