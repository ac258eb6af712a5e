// Finds a Firefox for the tests: wgpu's WebGPU on lavapipe. Imports Node's own modules only.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const PLACES = [
  "/usr/bin/firefox-esr",
  "/usr/bin/firefox",
  "/Applications/Firefox.app/Contents/MacOS/firefox",
];

/** The oldest version that the tests have run on. Older ones have WebGPU in nightly builds only, or none. */
const OLDEST = 153;

/**
 * @param {readonly import("./drivers.mjs").Driver[]} drivers
 * @returns {import("./hosts.mjs").Host | { why: string }} one that starts, or why there is none
 */
export function findFirefox(drivers) {
  const lavapipe = drivers.find(({ name }) => name === "lavapipe");
  if (!lavapipe) return { why: "its tests run on lavapipe, which is missing" };
  const installed = PLACES.filter((path) => existsSync(path));
  if (installed.length === 0)
    return { why: "not installed (Debian: `.ci/run --firefox` installs firefox-esr)" };
  const { env } = lavapipe;
  /** @type {string[]} */
  const versions = [];
  for (const path of installed) {
    const version = start(path);
    if (Number.parseInt(version, 10) >= OLDEST) return { path, env, version };
    versions.push(version ? `version ${version}` : "one that does not start");
  }
  return { why: `expected version ${OLDEST} or later, got ${versions.join(", ")}` };
}

/**
 * @param {string} path
 * @returns {string} its version, "153.8.0esr"; empty if it does not start
 */
function start(path) {
  const { status, stdout } = spawnSync(path, ["--version"], { encoding: "utf8", timeout: 30_000 });
  return status === 0 ? stdout.trim().replace(/^.* /, "") : "";
}
