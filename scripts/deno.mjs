// Finds a Deno for the tests: wgpu's WebGPU on lavapipe. Imports Node's own modules only.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The version that `.ci/run --deno` installs, and the oldest that the tests have run on. */
const OLDEST = "2.9.6";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * @param {readonly import("./drivers.mjs").Driver[]} drivers
 * @returns {import("./hosts.mjs").Host | { why: string }} one that starts, or why there is none
 */
export function findDeno(drivers) {
  const lavapipe = drivers.find(({ name }) => name === "lavapipe");
  if (!lavapipe) return { why: "its tests run on lavapipe, which is missing" };
  const folders = [
    // Not .bin: the script there is a parent of the real one, if npm may not run scripts.
    join(root, ".cache", "deno", "node_modules", "deno"),
    ...(process.env["PATH"] ?? "").split(delimiter),
  ];
  const installed = folders.map((folder) => join(folder, "deno")).filter((path) => existsSync(path));
  if (installed.length === 0) return { why: "not installed (`.ci/run --deno` installs it into .cache)" };
  /** @type {string[]} */
  const versions = [];
  for (const path of installed) {
    const version = start(path);
    if (newEnough(version)) return { path, env: lavapipe.env, version };
    versions.push(version ? `version ${version}` : "one that does not start");
  }
  return { why: `expected version ${OLDEST} or later, got ${versions.join(", ")}` };
}

/** @param {string} version */
const newEnough = (version) => OLDEST.localeCompare(version, "en", { numeric: true }) <= 0;

/**
 * @param {string} path
 * @returns {string} its version, "2.9.6"; empty if it does not start
 */
function start(path) {
  const { status, stdout } = spawnSync(path, ["--version"], { encoding: "utf8", timeout: 30_000 });
  return status === 0 ? (/^deno (\S+)/.exec(stdout)?.[1] ?? "") : "";
}
