// Finds a program with wgpu's WebGPU that runs on lavapipe. Imports Node's own modules only.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/**
 * @param {readonly import("./drivers.mjs").Driver[]} drivers
 * @param {object} program
 * @param {readonly string[]} program.places where it may be
 * @param {string} program.missing what to say if it is nowhere
 * @param {RegExp} program.version its version in what `--version` prints, as the first group
 * @param {string} program.oldest the oldest version that the tests have run on
 * @returns {import("./hosts.mjs").Host | { why: string }} one that starts, or why there is none
 */
export function findOnLavapipe(drivers, { places, missing, version, oldest }) {
  const lavapipe = drivers.find(({ name }) => name === "lavapipe");
  if (!lavapipe) return { why: "its tests run on lavapipe, which is missing" };
  const installed = places.filter((path) => existsSync(path));
  if (installed.length === 0) return { why: missing };
  /** @type {string[]} */
  const found = [];
  for (const path of installed) {
    const { status, stdout } = spawnSync(path, ["--version"], { encoding: "utf8", timeout: 30_000 });
    const started = status === 0 ? version.exec(stdout)?.[1] : undefined;
    if (started && oldest.localeCompare(started, "en", { numeric: true }) <= 0)
      return { path, env: lavapipe.env, version: started };
    found.push(started ? `version ${started}` : "one that does not start");
  }
  return { why: `expected version ${oldest} or later, got ${found.join(", ")}` };
}
