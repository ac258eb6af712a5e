// What the builds of the package and of the site share.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { root, run } from "./setup.mjs";

/** A file in the cache of node_modules. */
export const cached = (/** @type {string} */ name) => join(root, "node_modules", ".cache", "sirocco", name);

/**
 * The latest change in a file or folder, in milliseconds.
 * @param {string} path
 * @returns {number}
 */
export function newest(path) {
  const stats = statSync(path);
  // A folder's own time changes when a file in it is removed or renamed.
  return stats.isDirectory()
    ? readdirSync(path).reduce((time, name) => Math.max(time, newest(join(path, name))), stats.mtimeMs)
    : stats.mtimeMs;
}

/**
 * Marks a build as made from the sources as of `started`: an edit made during the build counts as newer.
 * @param {string} stamp
 * @param {Date} started
 */
export function writeStamp(stamp, started) {
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, "");
  utimesSync(stamp, started, started);
}

/**
 * Replaces the folder `folder` with the folder `next`.
 * @param {string} next
 * @param {string} folder
 */
export function swap(next, folder) {
  const old = `${next}-old`;
  if (existsSync(folder)) renameSync(folder, old);
  renameSync(next, folder);
  rmSync(old, { recursive: true, force: true });
}

/**
 * Runs Vite's build.
 * @param {readonly string[]} args
 * @param {Record<string, string>} [env]
 * @returns {Promise<boolean>} whether it succeeded
 */
export const viteBuild = async (args, env = {}) =>
  (await run(process.execPath, [packageFile("vite", "bin/vite.js"), "build", ...args], { env })) === 0;

/**
 * @param {string} name
 * @param {string} file
 */
export const packageFile = (name, file) => join(root, "node_modules", name, file);
