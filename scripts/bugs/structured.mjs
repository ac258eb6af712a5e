// Bugs of answers that are held to a format.
import { engine } from "./tests.mjs";

/** @type {Readonly<Record<string, import("./tests.mjs").Bug>>} */
export const structuredBugs = {
  "JSON Schema: a reference beside options is followed again with each": {
    file: "engine/structured/json-schema/schema-part.ts",
    from: "if (part.isChosen) continue;",
    to: "",
    test: engine("structured/formats.cpu", "200 random schemas"),
  },
  "grammar: a part without a text is offered": {
    file: "engine/structured/nodes.ts",
    from: "expression.options.filter(productive).map(nodeOf)",
    to: "expression.options.map(nodeOf)",
    test: engine("structured/formats.cpu", "which never ends"),
  },
  "grammar: counts below the longest token share a mask": {
    file: "engine/structured/machine.ts",
    from: "isCount && count > most ?",
    to: "isCount && count > 1 ?",
    test: engine("structured/formats.cpu", "200 random schemas"),
  },
  "JSON Schema: a bound that is left out counts": {
    file: "engine/structured/json-schema/numbers.ts",
    from: "isAbove ? more :",
    to: "",
    test: engine("structured/formats.cpu", "200 random schemas"),
  },
  "regular expression: $ in one option ends them all": {
    file: "engine/structured/regex.ts",
    from: "if (isWhole && this.#isSearch && !endsHere) parts.push(ANYTHING);",
    to: "",
    test: engine("structured/formats.cpu", "mean in JavaScript"),
  },
  "tools: arguments may be a text": {
    file: "engine/tools/call-grammar.ts",
    from: '![type].flat().includes("object")',
    to: "false",
    test: engine("tools/calls.cpu", "arguments are an object"),
  },
  "tools: a call begins in a thought that the prompt opened": {
    file: "engine/tools/calling.ts",
    from: "constraint: thinks ?",
    to: "constraint: !tokenizer ?",
    test: engine("tools/calls.cpu", "a thought that the prompt opened"),
  },
  "a schema beside json_object that is none is ignored": {
    file: "engine/apis/answer-format.ts",
    from: "if (isNothing(schema) && !isObject(schema)) return",
    to: "if (!isObject(schema)) return",
    test: engine("request-bodies.cpu"),
  },
  "a space that is a byte's token counts at the start of an answer, where it is stripped": {
    file: "tokenizer/stream-decoder.ts",
    from: "return piece.subarray(",
    to: "return piece.subarray(0 * ",
    test: engine("structured/first-token.cpu"),
  },
};
