// Assembles WebAssembly text: `import module from "./name.wat?wasm"` gives a WatModule
// (kernels/cpu/wat.d.ts), "./name.wat?wasm&relaxed" the one with relaxed SIMD.
import { readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import wabt from "wabt";

const TEXT = /\.wat\?wasm(&relaxed)?$/;

/** @returns {import("vite").Plugin} */
export function assembleWat() {
  return {
    name: "assemble-wat",
    enforce: "pre",
    async load(id) {
      const kind = TEXT.exec(id);
      if (!kind) return null;
      const file = id.slice(0, id.lastIndexOf("?"));
      this.addWatchFile(file);
      const module = await assemble(file, readFileSync(file, "utf8"), Boolean(kind[1]));
      return { code: `export default ${JSON.stringify(module)};`, map: { mappings: "" } };
    },
  };
}

/** In a binary module, the import of a memory with a maximum that is not shared. */
const MEMORY_IMPORT = "memory\x02\x01";

/** Lines for relaxed SIMD, and those in their place where it is not known. */
const RELAXED = /^ *;; if relaxed\n([\s\S]*?)^ *;; else\n([\s\S]*?)^ *;; end if\n/gm;

/**
 * @param {string} file for messages
 * @param {string} text
 * @param {boolean} relaxed
 * @returns {Promise<{ deflated: string, limitsAt: number }>} as kernels/cpu/wat.d.ts describes it
 */
export async function assemble(file, text, relaxed) {
  const chosen = text.replace(RELAXED, relaxed ? "$1" : "$2");
  const module = (await wabt()).parseWat(file, repeated(inserted(chosen)), { relaxed_simd: true });
  try {
    module.validate();
    const bytes = Buffer.from(module.toBinary({}).buffer);
    const at = bytes.indexOf(MEMORY_IMPORT, 0, "latin1");
    if (at < 0) throw new Error(`${file}: expected (import "env" "memory" (memory MIN MAX)).`);
    const deflated = deflateSync(bytes, { level: 9 }).toString("base64");
    return { deflated, limitsAt: at + MEMORY_IMPORT.length - 1 };
  } finally {
    module.destroy();
  }
}

/**
 * The lines between `;; text sums` and `;; end sums` in the places of `;; insert sums`. With
 * `;; insert sums a=3`, 3 takes the place of `{a}` in these lines.
 * @param {string} text
 * @returns {string}
 */
function inserted(text) {
  /** @type {Map<string, string>} */
  const texts = new Map();
  let rest = text.replace(/^ *;; text (\w+)\n([\s\S]*?)^ *;; end \1\n/gm, (_, name, lines) => {
    texts.set(name, lines);
    return "";
  });
  for (let before = ""; before !== rest; ) {
    before = rest;
    rest = rest.replace(/^ *;; insert (\w+)(.*)\n/gm, (_, name, given) =>
      given.split(" ").reduce((/** @type {string} */ lines, /** @type {string} */ parameter) => {
        const [key, value] = parameter.split("=");
        return key ? filled(lines, key, value ?? "") : lines;
      }, texts.get(name) ?? `unknown text ${name}\n`),
    );
  }
  return rest;
}

/**
 * The lines between `;; each r: 0 1 2 3` and `;; end r` once for each of these numbers, which takes the place
 * of `{r}`. Blocks with different names may hold each other.
 * @param {string} text
 * @returns {string}
 */
function repeated(text) {
  const block = /^ *;; each (\w+): (.*)\n([\s\S]*?)^ *;; end \1\n/m;
  const found = block.exec(text);
  if (!found) return text;
  const [, name, numbers = "", lines = ""] = found;
  const copies = numbers.split(/[ ,]/).map((each) => filled(lines, name ?? "", each));
  return repeated(text.replace(block, () => copies.join("")));
}

/**
 * With the value in the place of `{name}`, and of the name in sums such as `{16name+other+1}`.
 * @param {string} text
 * @param {string} name
 * @param {string} value
 * @returns {string}
 */
function filled(text, name, value) {
  const term = new RegExp(`\\b(\\d*)${name}\\b`, "g");
  return text.replace(/\{([\w+]+)\}/g, (_, sum) => {
    if (sum === name) return value;
    const known = sum.replace(term, (/** @type {string} */ _, /** @type {string} */ factor) =>
      factor ? String(Number(factor) * Number(value)) : value,
    );
    if (!/^[\d+]+$/.test(known)) return `{${known}}`;
    return String(
      known
        .split("+")
        .map(Number)
        .reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b),
    );
  });
}
