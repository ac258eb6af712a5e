// The import rules of ARCHITECTURE.md: who may import whom, no cycles, nothing of Node in the browser entry point.
// Type imports count: they are what a reader has to follow, too.
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { basename, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const foundation = ["tokenizer", "weights", "kernels"];

/**
 * Folder -> the folders and files it may import, besides itself;
 * package.json tells the version.
 */
const MAY_IMPORT = {
  tokenizer: [],
  weights: [],
  kernels: [],
  engine: [...foundation, "package.json"],
  server: [...foundation, "engine"],
  bench: [...foundation, "engine", "scripts/drivers.mjs"],
  demo: ["engine"],
  cli: [...foundation, "engine", "server", "bench"],
};

const BROWSER_ENTRIES = ["engine/index.ts", "engine/model-worker.ts", "engine/workers-ai.ts"];
const isNodeOnly = (/** @type {string} */ name) =>
  name.startsWith("node:") || builtinModules.includes(name) || /^(webgpu|commander|cli-progress)$/.test(name);

/** What @huggingface/hub exports in Node only, as far as anyone here could want it. */
const NODE_ONLY_HUB =
  /\b(downloadFileToCacheDir|snapshotDownload|scanCacheDir|getHFHubCachePath|getRepoFolderName)\b/;

const IMPORT =
  /(?:^|\n|;)\s*(?:import|export)\b(?:[^"'`;]*?\bfrom)?\s*["']([^"'\n]+)["']|\bimport\(\s*["']([^"'\n]+)["']/g;

/** @returns {string[]} what breaks the rules, one line each */
export function checkImports() {
  const graph = new Map(
    Object.keys(MAY_IMPORT)
      .flatMap(sources)
      .map((file) => [file, importsOf(file)]),
  );
  return [...folderRules(graph), ...cycles(graph), ...cycles(rooms(graph)), ...browserRules(graph)];
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function sources(folder) {
  return readdirSync(root).includes(folder)
    ? readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .filter(
          (file) => /\.(ts|mjs)$/.test(file) && !file.endsWith(".d.ts") && !file.includes("node_modules"),
        )
        .map((file) => join(folder, file).split(sep).join("/"))
    : [];
}

/**
 * @param {string} file
 * @returns {string[]} files as paths from the root, packages by name
 */
function importsOf(file) {
  const text = readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  return [...text.matchAll(IMPORT)].map(([, from, dynamic]) => {
    const name = /** @type {string} */ (from ?? dynamic);
    if (!name.startsWith(".")) return name;
    return relative(root, join(root, dirname(file), name.replace(/\?.*$/, "")))
      .split(sep)
      .join("/");
  });
}

/** @param {Map<string, string[]>} graph */
function folderRules(graph) {
  return [...graph].flatMap(([file, imports]) => {
    const folder = /** @type {keyof typeof MAY_IMPORT} */ (file.split("/", 1)[0]);
    /** @type {string[]} */
    const allowed = [folder, ...MAY_IMPORT[folder]];
    return imports
      .filter((name) => isFile(name) && !allowed.some((each) => name === each || name.startsWith(`${each}/`)))
      .map(
        (name) =>
          `${file} imports ${name}: ${folder}/ may import ${allowed.slice(1).join(", ") || "no other folder"}`,
      );
  });
}

/** Not a package: packages have no path that ends like this, but for those of Lit's directives. */
const isFile = (/** @type {string} */ name) =>
  !name.startsWith("lit/") && (/\.(ts|mjs|js|wgsl|json)$/.test(name) || name.startsWith("../"));

/**
 * The folders of engine/, and the files at its top, as nodes: imports go one way between them, too.
 * @param {Map<string, string[]>} graph
 */
function rooms(graph) {
  const roomOf = (/** @type {string} */ file) => file.split("/").slice(0, 2).join("/");
  /** @type {Map<string, string[]>} */
  const found = new Map();
  for (const [file, imports] of graph) {
    if (!file.startsWith("engine/")) continue;
    const others = imports.filter((name) => name.startsWith("engine/")).map(roomOf);
    const own = roomOf(file);
    found.set(own, [...(found.get(own) ?? []), ...others.filter((room) => room !== own)]);
  }
  return found;
}

/** @param {Map<string, string[]>} graph */
function cycles(graph) {
  /** @type {string[]} */
  const found = [];
  const done = new Set();
  const visit = (/** @type {string} */ file, /** @type {string[]} */ path) => {
    const start = path.indexOf(file);
    if (start >= 0) found.push(`import cycle: ${[...path.slice(start), file].join(" -> ")}`);
    if (start >= 0 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

/** @param {Map<string, string[]>} graph */
function browserRules(graph) {
  const reached = new Map(BROWSER_ENTRIES.map((file) => [file, file]));
  for (const [file, path] of reached) {
    for (const next of graph.get(file) ?? []) if (!reached.has(next)) reached.set(next, `${path} -> ${next}`);
  }
  return [...reached]
    .filter(
      ([name]) => isNodeOnly(name) || basename(name) === "swiftshader.mjs" || usesNodeOnlyHub(name, graph),
    )
    .map(([, path]) => `Node in the browser entry point: ${path}`);
}

/**
 * @param {string} file
 * @param {Map<string, string[]>} graph
 */
const usesNodeOnlyHub = (file, graph) =>
  graph.get(file)?.includes("@huggingface/hub") && NODE_ONLY_HUB.test(readFileSync(join(root, file), "utf8"));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = checkImports();
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
