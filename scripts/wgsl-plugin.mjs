// Shaders go into a build without comments and without the blanks that part nothing: a minifier of JavaScript cannot see into them.
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
      if (text.includes("/*"))
        this.error("expected comments from // to the end of a line, got /*. Write it so.");
      return { code: `export default ${JSON.stringify(compact(text))};`, map: { mappings: "" } };
    },
  };
}

/**
 * WGSL has no strings, so `//` is a comment wherever it stands. Blanks stay between two words, and between two signs, which might
 * be another sign together (`- -`), but for brackets and what separates.
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
