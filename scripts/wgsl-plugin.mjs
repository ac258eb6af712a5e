// Strips comments and insignificant whitespace from shaders: minifiers of JavaScript do not touch string
// contents.
import { readFileSync } from "node:fs";

const SHADER = /\.wgsl\?raw$/;

/** @returns {import("vite").Plugin} */
export function compactShaders() {
  return {
    name: "compact-shaders",
    apply: "build",
    enforce: "pre",
    load(id) {
      if (!SHADER.test(id)) return null;
      const text = readFileSync(id.replace(/\?raw$/, ""), "utf8");
      if (text.includes("/*")) this.error("expected only comments with //, found /*. Write // at each line.");
      return { code: `export default ${JSON.stringify(compact(text))};`, map: { mappings: "" } };
    },
  };
}

/**
 * WGSL has no strings, so every `//` begins a comment. Whitespace stays between two words, and between two
 * operators, which together might be another (`- -`); not beside brackets, commas and semicolons.
 */
export const compact = (/** @type {string} */ text) =>
  text
    .replace(/\/\/.*$/gm, "")
    .trim()
    .replace(/(\S)\s+(?=(\S))/g, (_, /** @type {string} */ before, /** @type {string} */ after) => {
      const words = [before, after].filter((each) => /\w/.test(each)).length;
      const parted = words === 1 || (words === 0 && [before, after].some((each) => /[(){}[\];,]/.test(each)));
      return parted ? before : `${before} `;
    });
