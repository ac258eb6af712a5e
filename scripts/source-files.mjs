// The source files that the checks read.
import { readdirSync } from "node:fs";
import { join, sep } from "node:path";
import { root } from "./setup.mjs";

/** Folders with code that ships, or builds and checks it. */
export const CODE_FOLDERS = [
  "engine",
  "kernels",
  "tokenizer",
  "weights",
  "demo",
  "bench",
  "eval",
  "server",
  "cli",
  "scripts",
];

/** Code of ours; declaration files are not. */
export const CODE = /(?<!\.d)\.(ts|mjs)$/;

/**
 * @param {string} folder from the root; "" for the files at the root, without folders
 * @param {RegExp} names which files
 * @returns {string[]} paths from the root, with slashes
 */
export const sourceFiles = (folder, names = CODE) =>
  readdirSync(join(root, folder), { recursive: folder !== "", encoding: "utf8" })
    .filter((file) => names.test(file) && !file.includes("node_modules"))
    .map((file) => join(folder, file).split(sep).join("/"));
