// Programs read the code of an error, never its message: messages are for people and may be reworded at any
// time. This finds code that matches, searches or compares a message.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "vite";
import { root } from "./setup.mjs";
import { CODE_FOLDERS, sourceFiles } from "./source-files.mjs";

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
/** Methods that compare their argument with what they belong to. */
const LOOKUPS = new Set(["includes", "indexOf", "lastIndexOf", "has"]);
const COMPARISONS = new Set(["===", "!==", "==", "!="]);
/** Methods that give the same text in another form, or a part of it. */
const FORMS = new Set("toLowerCase toUpperCase trim toString slice substring at charAt split".split(" "));
const WRAPPERS = new Set([
  "ParenthesizedExpression",
  "ChainExpression",
  "TSAsExpression",
  "TSNonNullExpression",
  "TSSatisfiesExpression",
]);

/** @typedef {{ type: string, start: number, [name: string]: any }} Node */
/** @typedef {{ name: string, scope: Node }} Alias a variable with a message, and the block that it is in */

/** @returns {string[]} a line for each place */
export function checkProse() {
  return CODE_FOLDERS.flatMap((folder) => sourceFiles(folder)).flatMap((file) => {
    const found = messageReads(file, readFileSync(join(root, file), "utf8"));
    const allowed = EXCEPTIONS.get(file) ?? 0;
    if (found.length === allowed) return [];
    if (found.length < allowed) return [`${file}: expected ${allowed} exceptions, got ${found.length}.`];
    return found.map(({ line, text }) => `${file}:${line} reads a message: ${text}. Read a code instead.`);
  });
}

/**
 * @param {string} name ends in .ts or .mjs
 * @param {string} source
 * @returns {{ line: number, text: string }[]} expressions that look into a message
 */
export function messageReads(name, source) {
  const { program } = parseSync(name, source);
  const aliases = aliasesIn(program);
  return [...nodesOf(program)]
    .filter(({ node }) => readsMessage(node, aliases))
    .map(({ node }) => {
      const text = source.slice(node.start, node["end"]).replace(/\s+/g, " ");
      return { line: source.slice(0, node.start).split("\n").length, text: text.slice(0, 80) };
    });
}

const SCOPES = /^(Program|BlockStatement|CatchClause|.*Function.*)$/;

/**
 * @param {unknown} value
 * @param {Node} [scope]
 * @returns {Generator<{ node: Node, scope: Node }>} a node and all below it; `scope`: the innermost around it
 */
function* nodesOf(value, scope) {
  if (typeof value !== "object" || value === null) return;
  const node = /** @type {Node} */ (value);
  const isNode = typeof node.type === "string";
  if (isNode) yield { node, scope: scope ?? node };
  const inner = isNode && SCOPES.test(node.type) ? node : scope;
  for (const child of Object.values(node)) yield* nodesOf(child, inner);
}

/**
 * Variables that `const text = error.message` or `{ message: text }` declare.
 * @param {unknown} program
 */
function aliasesIn(program) {
  /** @type {Alias[]} */
  const aliases = [];
  for (const { node, scope } of nodesOf(program)) {
    const { id, init, properties } = node;
    if (node.type === "VariableDeclarator" && id.type === "Identifier" && init && isMessage(init, aliases))
      aliases.push({ name: id.name, scope });
    if (node.type !== "ObjectPattern") continue;
    for (const { key, value } of properties) {
      const target = value?.type === "AssignmentPattern" ? value.left : value;
      if (key?.name === "message" && target.type === "Identifier") aliases.push({ name: target.name, scope });
    }
  }
  return aliases;
}

/**
 * @param {Node} node
 * @param {readonly Alias[]} aliases
 */
function readsMessage(node, aliases) {
  const isMessageHere = (/** @type {Node} */ part) => isMessage(part, aliases);
  if (node.type === "BinaryExpression" && COMPARISONS.has(node["operator"]))
    return [
      [node["left"], node["right"]],
      [node["right"], node["left"]],
    ].some(([side, other]) => isMessageHere(side) && isText(other));
  if (node.type === "SwitchStatement") return isMessageHere(node["discriminant"]);
  if (node.type !== "CallExpression") return false;
  const method = methodOf(node);
  if (method === undefined) return false;
  if (SEARCHES.has(method) && isMessageHere(node["callee"].object)) return true;
  const [argument] = node["arguments"];
  const looks = LOOKUPS.has(method) || method === "test" || method === "exec";
  return looks && argument !== undefined && isMessageHere(argument);
}

/**
 * `error.message`, `message`, `String(error)`, a variable with one, and a template or another form of one.
 * @param {Node} node
 * @param {readonly Alias[]} aliases
 * @returns {boolean}
 */
function isMessage(node, aliases) {
  if (WRAPPERS.has(node.type)) return isMessage(node["expression"], aliases);
  if (node.type === "Identifier") return node["name"] === "message" || isAlias(node, aliases);
  if (node.type === "MemberExpression") {
    const { computed, property, object } = node;
    if (!computed) return property.name === "message";
    return property.value === "message" || (typeof property.value === "number" && isMessage(object, aliases));
  }
  if (node.type === "TemplateLiteral")
    return node["expressions"].some((/** @type {Node} */ part) => isMessage(part, aliases) || isError(part));
  if (node.type === "BinaryExpression" || node.type === "LogicalExpression")
    return isMessage(node["left"], aliases) || isMessage(node["right"], aliases);
  if (node.type !== "CallExpression") return false;
  const [argument] = node["arguments"];
  if (node["callee"].type === "Identifier" && node["callee"].name === "String")
    return argument !== undefined && (isMessage(argument, aliases) || isError(argument));
  const method = methodOf(node);
  const object = node["callee"].object;
  return method !== undefined && FORMS.has(method) && (isMessage(object, aliases) || isError(object));
}

/**
 * @param {Node} node an identifier
 * @param {readonly Alias[]} aliases
 */
const isAlias = (node, aliases) =>
  aliases.some(
    ({ name, scope }) => name === node["name"] && scope.start <= node.start && node["end"] <= scope["end"],
  );

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
