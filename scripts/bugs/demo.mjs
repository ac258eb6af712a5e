// Bugs of the demo.

/** @type {Readonly<Record<string, import("./tests.mjs").Bug>>} */
export const demoBugs = {
  "the replacement of a lost GPU makes an answer slow": {
    file: "demo/speed.ts",
    from: ".filter(({ afterLoss }) => !afterLoss)",
    to: "",
    test: ["test/demo/clocks.test.ts", "-t", "the replacement of a lost GPU"],
  },
  "a price is maths": {
    file: "demo/maths-syntax.ts",
    from: "\\$(?![\\w$])/",
    to: "\\$/",
    test: ["test/demo/maths-syntax.test.ts"],
  },
  "a fence in a file ends its block": {
    file: "demo/text-files.ts",
    from: "longest + 1",
    to: "3",
    test: ["test/demo/text-files.test.ts"],
  },
};
