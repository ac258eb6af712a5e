// Leaves out of the browser's bundle the members of kernels and formats that only tests use, and with them
// the functions that only those members call. Members are found by name; `npm run check` looks for any that
// were missed (browser-bundle.mjs).

/** Which objects to look for, by two members that they have, and the members to drop. */
const KINDS = [
  {
    files: /\/kernels\/[^/]+\.ts$/,
    has: ["bindings", "workgroups"],
    dropped: ["testSizes", "fill", "reference", "tolerance", "floor"],
  },
  // The bytes of a launch are counted by the bench only.
  { files: /\/kernels\/[^/]+\.ts$/, has: ["passes"], dropped: ["passes"] },
  { files: /\/kernels\/formats\/[^/]+\.ts$/, has: ["at", "storeRow"], dropped: ["at", "storeRow"] },
];

/** Names of all members that are for tests, but `at`, which other objects have, too. */
export const TEST_MEMBERS = KINDS.flatMap(({ dropped }) => dropped).filter((name) => name !== "at");

/** @returns {import("vite").Plugin} */
export function dropTestParts() {
  return {
    name: "drop-test-parts",
    apply: "build",
    transform(code, id) {
      const kinds = KINDS.filter(({ files }) => files.test(id));
      if (kinds.length === 0) return null;
      /** @type {[number, number][]} */
      const dropped = [];
      visit(this.parse(code), (node) => {
        if (node.type !== "ObjectExpression") return;
        const names = node.properties.map((/** @type {any} */ each) => each.key?.name);
        const kind = kinds.find(({ has }) => has.every((name) => names.includes(name)));
        if (!kind) return;
        // Members of the object, and of objects that it spreads: `...(exact && { tolerance: 0 })`.
        const spread = node.properties.filter((/** @type {any} */ each) => each.type === "SpreadElement");
        const members = [...node.properties];
        visit(spread, (each) => {
          if (each.type === "ObjectExpression") members.push(...each.properties);
        });
        for (const { key, start, end } of members)
          if (kind.dropped.includes(key?.name)) dropped.push([start, end]);
      });
      // Blanks take their place, so that the source map stays right.
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
 * Calls `use` for a node of a syntax tree, or each of several, and for all nodes below.
 * @param {any} node
 * @param {(node: any) => void} use
 */
function visit(node, use) {
  if (Array.isArray(node)) for (const each of node) visit(each, use);
  if (typeof node?.type !== "string") return;
  use(node);
  for (const value of Object.values(node)) if (typeof value === "object") visit(value, use);
}
