// Finds an nginx for the test of deploy/nginx: the system's, or the one that `.ci/run --nginx` unpacked.
// Imports Node's own modules only.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {{ path: string, version: string }} Nginx */

const PLACES = [
  "/usr/sbin/nginx",
  "/usr/local/sbin/nginx",
  "/usr/local/bin/nginx",
  "/opt/homebrew/bin/nginx",
  join(fileURLToPath(new URL("..", import.meta.url)), ".cache", "nginx", "usr", "sbin", "nginx"),
];

/** @returns {Nginx | { why: string }} one that starts, or why there is none */
export function findNginx() {
  const installed = PLACES.filter((path) => existsSync(path));
  for (const path of installed) {
    const { status, stderr } = spawnSync(path, ["-v"], { encoding: "utf8", timeout: 10_000 });
    if (status === 0) return { path, version: stderr.trim().replace(/^.*nginx\//, "") };
  }
  const problem = installed.length > 0 ? `${installed[0]} does not start` : "not installed";
  return { why: `${problem} (Debian: \`.ci/run --nginx\` unpacks it into .cache; elsewhere: install nginx)` };
}
