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
  "a conversation that another tab continued is overwritten": {
    file: "demo/conversations.ts",
    from: "stored.updated !== seen;",
    to: "stored.updated < seen;",
    test: ["test/demo/list.browser.test.ts", "-t", "two tabs"],
  },
  "an imported conversation is doubled": {
    file: "demo/transfer.ts",
    from: "|| said.has(sayings(each))) continue;",
    to: ") continue;",
    test: ["test/demo/conversations.cpu.test.ts", "-t", "read back"],
  },
  "facts of an imported answer are shown unread": {
    file: "demo/conversation.ts",
    from: "ended === undefined",
    to: "reason === undefined",
    test: ["test/demo/conversations.cpu.test.ts", "-t", "hostile fields"],
  },
  "a full context is a dead end": {
    file: "demo/trimming.ts",
    from: "return (await tokens(leftOut)) <= room ? leftOut : 0;",
    to: "return 0;",
    test: ["test/demo/trimming.cpu.test.ts", "-t", "leave together"],
  },
};
