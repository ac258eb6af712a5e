// What a kernel has for the tests alone does not go into the browser's file: with these members goes all that only they use.

const KERNEL = /\/kernels\/[^/]+\.ts$/;
const FOR_TESTS = new Set(["testSizes", "fill", "reference", "tolerance", "floor"]);

/** @returns {import("vite").Plugin} */
export function dropTestParts() {
  return {
    name: "drop-test-parts",
    apply: "build",
    transform(code, id) {
      if (!KERNEL.test(id)) return null;
      /** @type {[number, number][]} */
      const dropped = [];
      visit(this.parse(code), (node) => {
        if (node.type !== "ObjectExpression") return;
        const named = new Map(node.properties.map((/** @type {any} */ each) => [each.key?.name, each]));
        if (!named.has("bindings") || !named.has("workgroups")) return;
        for (const name of FOR_TESTS) {
          const member = named.get(name);
          if (member) dropped.push([member.start, member.end]);
        }
      });
      // Blanks keep everything else where the source map has it.
      let text = code;
      for (const [start, end] of dropped) {
        const comma = /^\s*,/.exec(text.slice(end))?.[0].length ?? 0;
        const blank = text.slice(start, end + comma).replace(/[^\n]/g, " ");
        text = text.slice(0, start) + blank + text.slice(end + comma);
      }
      return { code: text, map: null };
    },
  };
}

/**
 * @param {any} node
 * @param {(node: any) => void} use
 */
function visit(node, use) {
  if (Array.isArray(node)) for (const each of node) visit(each, use);
  if (typeof node?.type !== "string") return;
  use(node);
  for (const value of Object.values(node)) if (typeof value === "object") visit(value, use);
}
