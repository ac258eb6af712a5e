// What the package ships, and what its pages say about it: links lead to what is shipped, and every line that
// a reader copies names the package as package.json does.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { CARRIER } from "../cli/swiftshader.mjs";
import { root } from "./setup.mjs";
import { sourceFiles } from "./source-files.mjs";

/**
 * package.json, as far as the checks read it.
 * @typedef {{ name: string, version: string, homepage: string, bugs: string, repository: { url: string },
 *   dependencies: Record<string, string>, optionalDependencies: Record<string, string>,
 *   devDependencies: Record<string, string> }} Manifest
 * What `npm pack` would write. Bytes; paths with slashes.
 * @typedef {{ filename: string, size: number, unpackedSize: number, files: { path: string }[] }} Tarball
 */

/** Pages say it for as long as the registry does not have the package. A release refuses it. */
export const NOT_YET = "not on npm yet";

/** Pages about the sources: they link to files that stay in the repository. */
const ABOUT_SOURCES = /^(ARCHITECTURE|CONTRIBUTING|CHANGELOG)\.md$|^docs\/design\/|^bench\/|^dist\//;

/** Programs of other packages that pages run with npx, and the package that brings a driver. */
const OTHER_PROGRAMS = ["serve", "wrangler", CARRIER];

/** @returns {Manifest} */
export const manifest = () => JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** @returns {Tarball} what `npm pack` would write of the files that are there now. Nothing is built. */
export function tarball() {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts", "--loglevel=error"];
  // On Windows npm is a .cmd file, which only a shell starts.
  const options = /** @type {const} */ ({ cwd: root, encoding: "utf8", maxBuffer: 2 ** 26 });
  const { status, stdout, stderr } = spawnSync("npm", args, {
    ...options,
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error(`npm pack failed:\n${stderr}`);
  return JSON.parse(stdout)[0];
}

/**
 * Relative links of shipped pages to what is not shipped.
 * @param {readonly string[]} files shipped paths
 * @param {(file: string) => string} [read]
 * @returns {string[]} a problem each
 */
export function unshippedLinks(files, read = (file) => readFileSync(join(root, file), "utf8")) {
  const shipped = new Set(files);
  for (const file of files)
    for (let folder = dirname(file); folder !== "."; folder = dirname(folder)) shipped.add(folder);
  const pages = files.filter((file) => file.endsWith(".md") && !ABOUT_SOURCES.test(file));
  return pages.flatMap((page) =>
    [...withoutBlocks(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = ""]) => {
      if (/^([a-z]+:|#)/i.test(target)) return [];
      const path = normalize(join(dirname(page), target.replace(/#.*/, "")))
        .replaceAll("\\", "/")
        .replace(/\/$/, "");
      if (shipped.has(path)) return [];
      return `${page}: expected a link to what the package ships, got ${target}. Ship it (package.json: files), or name it without a link.`;
    }),
  );
}

const withoutBlocks = (/** @type {string} */ markdown) => markdown.replace(/^```[\s\S]*?^```$/gm, "");

/** Pages and examples that readers copy from, and what `npm start` prints. @returns {string[]} */
const copiedFrom = () => [
  "scripts/start.mjs",
  ...sourceFiles("", /\.md$/).filter((file) => file !== "CHANGELOG.md"),
  ...["docs", "examples", "server", "deploy"].flatMap((folder) =>
    sourceFiles(folder, /\.(md|js|html|json)$/).filter(
      (file) => !/^docs\/(api\/|.*\.json$)|\/dist\/|package-lock/.test(file),
    ),
  ),
];

/** What a line that is copied names: the package, with its scope. Paths and addresses are not packages. */
const NAME = String.raw`((?:@[\w.-]+\/)?[a-z](?:[\w.-]*\w)?)`;
const NAMING = [
  // An import of code: `from "x/part"`, `import "x"`, `import("x")`.
  new RegExp(
    String.raw`(?:\b(?:import|export)\b[^"']*\bfrom|^ *\} *from|\bimport\(?) ?["']${NAME}(?:\/[\w./-]*)?["']`,
    "g",
  ),
  new RegExp(
    String.raw`\b(?:(?:npx(?: -y| --yes)?|npm (?:install|i|add)(?: -[\w-]+)*) +|deno add npm:)${NAME}(?![\w/:*-])`,
    "g",
  ),
  new RegExp(String.raw`(?:cdn\.jsdelivr\.net\/npm|unpkg\.com|esm\.sh)\/${NAME}`, "g"),
  new RegExp(String.raw`node_modules\/${NAME}`, "g"),
  new RegExp(String.raw`"${NAME}": "file:\.\.\/\.\."`, "g"),
];

/**
 * Lines that install, run or import another package than package.json's.
 * @param {Manifest} [pkg]
 * @returns {string[]} a problem each
 */
export function otherNames({ name, ...pkg } = manifest()) {
  const known = new Set([
    name,
    ...Object.keys({ ...pkg.dependencies, ...pkg.optionalDependencies, ...pkg.devDependencies }),
    ...OTHER_PROGRAMS,
  ]);
  return copiedFrom().flatMap((file) =>
    readFileSync(join(root, file), "utf8")
      .split("\n")
      .flatMap((line, i) =>
        NAMING.flatMap((pattern) => [...line.matchAll(pattern)].map(([, found = ""]) => found))
          .filter((found) => !known.has(found) && !found.endsWith(".tgz"))
          .map(
            (found) =>
              `${file}:${i + 1}: expected ${name}, as in package.json, or a package that it names, got ${found}.`,
          ),
      ),
  );
}

/** Pages with a line that needs the registry, which do not say that it has no such package yet. */
export function unsaidNotYet({ name } = manifest()) {
  const pages = copiedFrom().filter((file) => file.endsWith(".md"));
  const text = (/** @type {string} */ file) => readFileSync(join(root, file), "utf8");
  const registry = new RegExp(
    String.raw`\bnpm (?:install|i|add) ${name}(?![\w./-])|(?:cdn\.jsdelivr\.net\/npm|unpkg\.com|esm\.sh)\/${name}|deno add npm:${name}`,
  );
  if (!text("README.md").includes(NOT_YET)) return [];
  return pages
    .filter((file) => registry.test(text(file)) && !text(file).includes(NOT_YET))
    .map((file) => `${file}: a line needs the registry. Say "${NOT_YET}" on the page, as README.md does.`);
}

/** The repository's address is in package.json once; homepage and bugs follow from it. */
export function addressProblems({ homepage, bugs, repository } = manifest()) {
  const address = addressOf(repository.url);
  const wanted = { homepage: `${address}#readme`, bugs: `${address}/issues` };
  return Object.entries({ homepage, bugs }).flatMap(([key, found]) => {
    const expected = wanted[/** @type {keyof typeof wanted} */ (key)];
    return found === expected
      ? []
      : [`package.json: ${key}: expected ${expected}, by repository.url, got ${found}.`];
  });
}

/** @param {string} url repository.url of package.json */
export const addressOf = (url) => url.replace(/^git\+/, "").replace(/\.git$/, "");
