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
  "a result of a call that nobody made is read": {
    file: "demo/conversation.ts",
    from: "return calls.delete(toolCallId);",
    to: "return true;",
    test: ["test/demo/conversations.cpu.test.ts", "-t", "without its call"],
  },
  "a model sees a call that has no result": {
    file: "demo/messages.ts",
    from: "toolCalls.filter(({ id }) => results.has(id))",
    to: "toolCalls",
    test: ["test/demo/conversations.cpu.test.ts", "-t", "that have results"],
  },
  "arguments of a call are shown with another number": {
    file: "demo/calls.ts",
    from: "value !== undefined && JSON.stringify(value) === withoutBlanks(text)",
    to: "value !== undefined",
    test: ["test/demo/conversations.cpu.test.ts", "-t", "arguments are indented"],
  },
  "a conversation that is too long for a server is a dead end": {
    file: "demo/trimming.ts",
    from: "return later[(later.length - 1) >> 1];",
    to: "return undefined;",
    test: ["test/demo/trimming.cpu.test.ts", "-t", "for a server"],
  },
  "an imported answer forgets its adapter": {
    file: "demo/conversation.ts",
    from: '...(typeof adapter === "string" && { adapter }), ',
    to: "",
    test: ["test/demo/conversations.cpu.test.ts", "-t", "read back"],
  },
};
