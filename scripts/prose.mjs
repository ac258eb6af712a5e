// Programs read the code of an error, never its message: messages are for people and may be reworded at any
// time. This finds code that matches, searches or compares a message.
import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));

const FOLDERS = ["engine", "kernels", "tokenizer", "weights", "demo", "bench", "server", "cli"];

/** File -> how many such places it may have. */
const EXCEPTIONS = new Map([
  // Dawn lists its adapters nowhere but in the message of an error.
  ["engine/gpu/dawn.ts", 1],
  // Commander puts "error: " before each of its messages.
  ["cli/run.ts", 1],
  // Prints the cause as well, unless the message has it already.
  ["cli/errors.ts", 1],
]);

const SEARCHES = new Set(
  "match matchAll search replace replaceAll includes startsWith endsWith indexOf lastIndexOf".split(" "),
);
const COMPARISONS = new Set(["===", "!==", "==", "!="]);
/** Methods that give the same text in another form. */
const FORMS = new Set(["toLowerCase", "toUpperCase", "trim", "toString"]);
const WRAPPERS = new Set([
  "ParenthesizedExpression",
  "ChainExpression",
  "TSAsExpression",
  "TSNonNullExpression",
  "TSSatisfiesExpression",
]);

/** @typedef {{ type: string, start: number, [name: string]: any }} Node */

/** @returns {string[]} a line for each place */
export function checkProse() {
  return FOLDERS.flatMap(sources).flatMap((file) => {
    const found = messageReads(file, readFileSync(join(root, file), "utf8"));
    const allowed = EXCEPTIONS.get(file) ?? 0;
    if (found.length === allowed) return [];
    if (found.length < allowed) return [`${file}: expected ${allowed} exceptions, got ${found.length}.`];
    return found.map(({ line, text }) => `${file}:${line} reads a message: ${text}. Read a code instead.`);
  });
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
const sources = (folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(ts|mjs)$/.test(file) && !file.endsWith(".d.ts"))
    .map((file) => `${folder}/${file.split(sep).join("/")}`);

/**
 * @param {string} name ends in .ts or .mjs
 * @param {string} source
 * @returns {{ line: number, text: string }[]} expressions that look into a message
 */
export function messageReads(name, source) {
  /** @type {{ line: number, text: string }[]} */
  const found = [];
  const visit = (/** @type {unknown} */ value) => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (typeof value !== "object" || value === null) return;
    const node = /** @type {Node} */ (value);
    if (typeof node.type === "string" && readsMessage(node)) {
      const text = source.slice(node.start, node["end"]).replace(/\s+/g, " ");
      found.push({ line: source.slice(0, node.start).split("\n").length, text: text.slice(0, 80) });
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseSync(name, source).program);
  return found;
}

/** @param {Node} node */
function readsMessage(node) {
  if (node.type === "BinaryExpression" && COMPARISONS.has(node["operator"]))
    return [
      [node["left"], node["right"]],
      [node["right"], node["left"]],
    ].some(([side, other]) => isMessage(side) && isText(other));
  if (node.type === "SwitchStatement") return isMessage(node["discriminant"]);
  if (node.type !== "CallExpression") return false;
  const method = methodOf(node);
  if (method === undefined) return false;
  if (SEARCHES.has(method)) return isMessage(node["callee"].object);
  const [argument] = node["arguments"];
  return (method === "test" || method === "exec") && argument !== undefined && isMessage(argument);
}

/**
 * `error.message`, `message`, `String(error)`, and a template or another form of one.
 * @param {Node} node
 * @returns {boolean}
 */
function isMessage(node) {
  if (WRAPPERS.has(node.type)) return isMessage(node["expression"]);
  if (node.type === "Identifier") return node["name"] === "message";
  if (node.type === "MemberExpression") return !node["computed"] && node["property"].name === "message";
  if (node.type === "TemplateLiteral")
    return node["expressions"].some((/** @type {Node} */ part) => isMessage(part) || isError(part));
  if (node.type === "BinaryExpression" || node.type === "LogicalExpression")
    return isMessage(node["left"]) || isMessage(node["right"]);
  if (node.type !== "CallExpression") return false;
  const [argument] = node["arguments"];
  if (node["callee"].type === "Identifier" && node["callee"].name === "String")
    return argument !== undefined && (isMessage(argument) || isError(argument));
  const method = methodOf(node);
  const object = node["callee"].object;
  return method !== undefined && FORMS.has(method) && (isMessage(object) || isError(object));
}

/** @param {Node} call */
const methodOf = (call) =>
  call["callee"].type === "MemberExpression" && !call["callee"].computed
    ? /** @type {string} */ (call["callee"].property.name)
    : undefined;

/** @param {Node} node */
const isText = (node) =>
  node.type === "TemplateLiteral" || (node.type === "Literal" && typeof node["value"] === "string");

/** @param {Node} node */
const isError = (node) => node.type === "Identifier" && ["error", "cause", "reason"].includes(node["name"]);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = checkProse();
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
