// Shaders go into a build without comments, blank lines and indentation: a minifier of JavaScript cannot see into them.
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

/** WGSL has no strings, so `//` is a comment wherever it stands. */
const compact = (/** @type {string} */ text) =>
  text
    .replace(/[ \t]*\/\/.*$/gm, "")
    .replace(/^[ \t]+/gm, "")
    .replace(/\n{2,}/g, "\n")
    .trimStart();
