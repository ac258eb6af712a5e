// The import rules of ARCHITECTURE.md: which folder may import which, no cycles, no Node in the browser's
// entry points. Type imports count: a reader has to follow them, too.
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { basename, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./setup.mjs";
import { sourceFiles } from "./source-files.mjs";

/** @typedef {{ name: string, line: number }} Import `name`: a path from the root, or a package */
/** @typedef {ReadonlyMap<string, readonly Import[]>} Graph by file */

const foundation = ["tokenizer", "weights", "kernels"];

/**
 * Each folder, and the folders and files that it may import besides itself. bench/dev is not part of bench
 * here: nothing that ships may import it.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const MAY_IMPORT = {
  tokenizer: [],
  // Numbers only: what a row takes in each weight format, sixteen-bit floats, and the words of a super-group.
  // And characters for bytes.
  weights: [
    ...["kernels/formats/table.ts", "kernels/formats/half.ts", "kernels/formats/super-words.ts"],
    "tokenizer/huggingface/byte-alphabet.ts",
    // The list of known models.
    "models.json",
  ],
  kernels: [],
  engine: [...foundation, "package.json"],
  server: [...foundation, "engine"],
  eval: ["engine"],
  bench: [...foundation, "engine", "eval"],
  "bench/dev": ["scripts"],
  // And the list of known models, which imports nothing else; its build has a plugin.
  demo: ["engine", "weights/known-models.ts", "scripts/wat-plugin.mjs"],
  cli: [...foundation, "engine", "server", "bench", "eval", "package.json"],
  scripts: ["cli/swiftshader.mjs"],
};

const common = ["types", "api.ts", "options", "errors.ts"];

/**
 * The folders of engine/ and the files that they share, from low to high, and what each may import of the
 * others. Files that are not listed (entry points, load, model, prompts, …) are above: they may import all
 * of these, and no folder may import them.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const ENGINE_ROOMS = {
  types: [],
  "api.ts": ["types"],
  options: ["types", "api.ts"],
  "errors.ts": ["types", "api.ts", "options"],
  "gate.ts": [],
  "turn.ts": [],
  gpu: [...common, "turn.ts"],
  // The device that computes on the CPU.
  cpu: ["api.ts", "errors.ts", "gpu"],
  graph: [...common, "gpu"],
  store: [...common, "gpu", "graph"],
  tuning: [...common, "gpu", "graph", "store"],
  "platform.ts": [...common, "gpu", "store", "tuning"],
  resident: [...common, "gpu", "graph", "store", "tuning", "platform.ts"],
  scheduler: [...common, "gate.ts", "graph", "store", "resident"],
  adapters: [...common, "gpu", "graph", "resident", "scheduler"],
  structured: [...common, "scheduler"],
  tools: [...common, "scheduler", "structured", "answer"],
  guard: [...common, "graph", "resident", "scheduler"],
  answer: [...common, "graph", "scheduler"],
  session: [...common, "gpu", "graph", "resident", "scheduler"],
  apis: [...common],
  worker: [...common, "gate.ts"],
};

const BROWSER_ENTRIES = [
  "engine/index.ts",
  "engine/model-worker.ts",
  "engine/hash-worker.ts",
  "engine/cpu-worker.ts",
  "engine/workers-ai.ts",
  "engine/prompt-api.ts",
];
const isNodeOnly = (/** @type {string} */ name) =>
  name.startsWith("node:") || builtinModules.includes(name) || /^(webgpu|commander|cli-progress)$/.test(name);

/** Exports of @huggingface/hub that exist in Node only. */
const NODE_ONLY_HUB =
  /\b(downloadFileToCacheDir|snapshotDownload|scanCacheDir|getHFHubCachePath|getRepoFolderName)\b/;

const IMPORT =
  /(?:^|\n|;)\s*(?:import|export)\b(?:[^"'`;]*?\bfrom)?\s*["']([^"'\n]+)["']|\bimport\(\s*["'`]([^"'`$\n]+)["'`]/g;

/** @returns {string[]} a problem each */
export function checkImports() {
  const folders = Object.keys(MAY_IMPORT).filter((folder) => !folder.includes("/"));
  const graph = new Map(
    folders.flatMap((folder) => sourceFiles(folder)).map((file) => [file, importsOf(file)]),
  );
  return [
    ...folderRules(graph),
    ...roomRules(graph),
    ...cycles(graph),
    ...cycles(innerFolders(graph)),
    ...browserRules(graph),
  ];
}

/**
 * @param {string} file
 * @returns {Import[]}
 */
function importsOf(file) {
  // Comments go, their newlines stay.
  const text = readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, (comment) =>
    comment.replace(/[^\n]/g, ""),
  );
  return [...text.matchAll(IMPORT)].map((match) => {
    const [found, from, dynamic] = match;
    const name = /** @type {string} */ (from ?? dynamic);
    const line = text.slice(0, match.index + found.length).split("\n").length;
    if (!name.startsWith(".")) return { name, line };
    const path = relative(root, join(root, dirname(file), name.replace(/\?.*$/, "")));
    return { name: path.split(sep).join("/"), line };
  });
}

/** @param {Graph} graph */
function folderRules(graph) {
  return [...graph].flatMap(([file, imports]) => {
    const folder = /** @type {string} */ (folderOf(file));
    const allowed = MAY_IMPORT[folder] ?? [];
    return imports
      .filter(({ name }) => isFile(name) && !allowed.includes(name))
      .filter(({ name }) => folderOf(name) !== folder && !allowed.includes(folderOf(name) ?? ""))
      .map(({ name, line }) => {
        const expected =
          allowed.length > 0 ? `imports of ${allowed.join(", ")}` : "no import of another folder";
        return `${file}:${line}: expected in ${folder}/ ${expected}, found ${name}.`;
      });
  });
}

/** The innermost folder with rules that holds a file. */
const folderOf = (/** @type {string} */ file) =>
  Object.keys(MAY_IMPORT)
    .sort((a, b) => b.length - a.length)
    .find((folder) => file.startsWith(`${folder}/`));

/** @param {Graph} graph */
function roomRules(graph) {
  const roomOf = (/** @type {string} */ file) => file.split("/")[1] ?? "";
  return [...graph].flatMap(([file, imports]) => {
    const room = roomOf(file);
    const allowed = ENGINE_ROOMS[room];
    if (!file.startsWith("engine/") || (!allowed && isFile(room))) return [];
    if (!allowed) return [`${file}: expected a folder of ENGINE_ROOMS in scripts/dag.mjs, found ${room}.`];
    return imports
      .filter(({ name }) => name.startsWith("engine/") && roomOf(name) !== room)
      .filter(({ name }) => !allowed.includes(roomOf(name)))
      .map(({ name, line }) => {
        const expected =
          allowed.length > 0 ? `imports of ${allowed.join(", ")}` : "no other import of engine";
        return `${file}:${line}: expected in engine/${room} ${expected}, found ${name}.`;
      });
  });
}

/** Not a package: no package we use has a path that ends like this, apart from Lit's directives. */
const isFile = (/** @type {string} */ name) =>
  !name.startsWith("lit/") && (/\.(ts|mjs|js|wgsl|json)$/.test(name) || name.startsWith("../"));

/**
 * Folders within a folder, and files next to them, as nodes: imports go one way between these, too.
 * @param {Graph} graph
 */
function innerFolders(graph) {
  const nodeOf = (/** @type {string} */ file) => file.split("/").slice(0, 2).join("/");
  /** @type {Map<string, Import[]>} */
  const found = new Map();
  for (const [file, imports] of graph) {
    const own = nodeOf(file);
    const others = imports.map(({ name, line }) => ({ name: nodeOf(name), line }));
    found.set(own, [...(found.get(own) ?? []), ...others.filter(({ name }) => name !== own)]);
  }
  return found;
}

/** @param {Graph} graph */
function cycles(graph) {
  /** @type {string[]} */
  const found = [];
  const done = new Set();
  const visit = (/** @type {string} */ file, /** @type {string[]} */ path) => {
    const start = path.indexOf(file);
    if (start >= 0)
      found.push(`${file}: expected no import cycle, found ${[...path.slice(start), file].join(" -> ")}.`);
    if (start >= 0 || done.has(file)) return;
    for (const { name } of graph.get(file) ?? []) visit(name, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return [...new Set(found)];
}

/** @param {Graph} graph */
function browserRules(graph) {
  const reached = new Map(BROWSER_ENTRIES.map((file) => [file, file]));
  for (const [file, path] of reached) {
    for (const { name } of graph.get(file) ?? [])
      if (!reached.has(name)) reached.set(name, `${path} -> ${name}`);
  }
  return [...reached]
    .filter(
      ([name]) => isNodeOnly(name) || basename(name) === "swiftshader.mjs" || usesNodeOnlyHub(name, graph),
    )
    .map(
      ([, path]) => `${path.split(" -> ")[0]}: expected no Node in the browser's entry point, found ${path}.`,
    );
}

/**
 * @param {string} file
 * @param {Graph} graph
 */
const usesNodeOnlyHub = (file, graph) =>
  graph.get(file)?.some(({ name }) => name === "@huggingface/hub") &&
  NODE_ONLY_HUB.test(readFileSync(join(root, file), "utf8"));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = checkImports();
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
