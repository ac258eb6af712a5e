// Finds this machine's WebGPU adapters, one for each Vulkan driver. Imports Node's own modules only.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { swiftshader, vulkanEnv } from "../cli/swiftshader.mjs";

/**
 * @typedef {{ name: string, env: Record<string, string>, adapter: string }} Driver `env` hides all others
 * from Dawn, and has the engine take a software driver, too
 * @typedef {{ name: string, why: string }} MissingDriver
 */

const root = fileURLToPath(new URL("..", import.meta.url));

/** Otherwise the engine computes on the CPU itself, which is faster. */
const ANY_WEBGPU = { SIROCCO_ADAPTER: "webgpu" };

/** @returns {Promise<{ drivers: Driver[], missing: MissingDriver[] }>} the fastest first */
export async function findDrivers() {
  if (process.platform !== "linux") {
    const adapter = await probe({});
    const software = ["lavapipe", "swiftshader"].map((name) => ({ name, why: "looked for on Linux only" }));
    const env = adapter?.fallback ? ANY_WEBGPU : {};
    if (adapter) return { drivers: [{ name: "default", env, adapter: adapter.name }], missing: software };
    return { drivers: [], missing: [{ name: "default", why: "no adapter answers" }, ...software] };
  }
  const icds = installedIcds();
  const isLavapipe = (/** @type {string} */ file) => /lvp_icd/.test(basename(file));
  const isSwiftshader = (/** @type {string} */ file) => /swiftshader/.test(basename(file));
  const gpus = icds.filter((file) => !isLavapipe(file) && !isSwiftshader(file));
  const found = await Promise.all([
    gpus.length === 0
      ? { name: "default", why: "no driver of a GPU is installed" }
      : hardware("default", gpus, "drivers of GPUs are installed, but no GPU answers them"),
    icds.some(isLavapipe)
      ? software(
          "lavapipe",
          icds.filter(isLavapipe),
          "it is installed but gives no adapter: is Mesa older than 24?",
        )
      : {
          name: "lavapipe",
          why: "not installed (Debian: .ci/run installs mesa-vulkan-drivers from backports)",
        },
    findSwiftshader(icds.filter(isSwiftshader)),
  ]);
  return {
    drivers: found.filter((one) => "adapter" in one),
    missing: found.filter((one) => "why" in one),
  };
}

/** @param {string[]} installed */
async function findSwiftshader(installed) {
  const { icd, problem } = swiftshader();
  const icds = icd ? [icd] : installed;
  return icds.length > 0
    ? software("swiftshader", icds, "it is installed but gives no adapter")
    : { name: "swiftshader", why: problem ?? "not installed" };
}

/**
 * @param {string} name
 * @param {string[]} icds
 * @param {string} otherwise
 * @returns {Promise<Driver | MissingDriver>}
 */
async function software(name, icds, otherwise) {
  const env = { ...vulkanEnv(icds), ...ANY_WEBGPU };
  const adapter = await probe(env);
  return adapter ? { name, env, adapter: adapter.name } : { name, why: otherwise };
}

/**
 * As `software`, but an adapter that computes on the CPU does not count.
 * @param {string} name
 * @param {string[]} icds
 * @param {string} otherwise
 * @returns {Promise<Driver | MissingDriver>}
 */
async function hardware(name, icds, otherwise) {
  const env = vulkanEnv(icds);
  const adapter = await probe(env);
  return adapter && !adapter.fallback ? { name, env, adapter: adapter.name } : { name, why: otherwise };
}

/**
 * Files that describe Vulkan drivers: those that the user named, or else all where the Vulkan loader looks.
 */
function installedIcds() {
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES, XDG_DATA_DIRS, XDG_DATA_HOME } = process.env;
  const named = VK_DRIVER_FILES || VK_ICD_FILENAMES;
  if (named) return named.split(delimiter).filter((file) => existsSync(file));
  const folders = [
    XDG_DATA_HOME || join(homedir(), ".local", "share"),
    ...(XDG_DATA_DIRS || "/usr/local/share:/usr/share").split(delimiter),
    "/usr/local/etc",
    "/etc",
  ].map((folder) => join(folder, "vulkan", "icd.d"));
  return [...new Set(folders)].filter(existsSync).flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith(".json") && !foreign(file))
      .map((file) => join(folder, file)),
  );
}

/** Fedora and Arch install 32-bit drivers, too; the loader prints a complaint about each. */
const foreign = (/** @type {string} */ file) => /i[36]86/.test(file) && process.arch !== "ia32";

/**
 * Asks Dawn for an adapter under an environment, in a process of its own: a driver that crashes counts as
 * missing.
 * @param {Record<string, string>} env
 * @returns {Promise<{ name: string, fallback: boolean } | undefined>}
 */
export function probe(env) {
  const program = `import { create } from "webgpu";
    const gpu = create([]);
    const info = (await gpu.requestAdapter())?.info;
    if (info) console.log(JSON.stringify({ name: info.description || info.device, fallback: info.isFallbackAdapter }));`;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 60_000,
    });
    let output = "";
    child.stdout.on("data", (data) => {
      output += data;
    });
    child.on("error", () => resolve(undefined));
    child.on("close", () => resolve(output ? JSON.parse(output) : undefined));
  });
}
