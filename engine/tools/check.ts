// Checks the tools of a call, before the first token.
import type { Tokenizer } from "../../tokenizer/index.ts";
import { showsTools } from "../../tokenizer/template-variables.ts";
import type { ChatOptions } from "../api.ts";
import { checkOptions, isPlain, object, text } from "../options/check.ts";
import { outOfRange, shown, unsupported, wrongType } from "../options/parameter.ts";
import type { Tool } from "../types/tools.ts";
import { callGrammar } from "./call-grammar.ts";

const MAX_TOOLS = 128;
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

export type ToolOptions = Pick<
  ChatOptions,
  "tools" | "toolChoice" | "continueFinalMessage" | "format" | "ignoreEos"
>;

/**
 * @returns the tools that are shown to the model: none if there is no choice
 * @throws TypeError, RangeError with `parameter`: "tools[0].name"
 */
export function shownTools(
  options: ToolOptions,
  { chatTemplate = "" }: Pick<Tokenizer, "chatTemplate">,
): readonly Tool[] {
  const { tools = [], toolChoice = "auto" } = options;
  tools.forEach(checkTool);
  const names = tools.map(({ name }) => name);
  const twice = names.findIndex((name, i) => names.indexOf(name) < i);
  if (twice >= 0)
    throw outOfRange(`tools[${twice}].name`, `expected a name of its own, got ${shown(names[twice])} again.`);
  if (tools.length > MAX_TOOLS)
    throw outOfRange("tools", `expected at most ${MAX_TOOLS}, got ${tools.length}.`);
  checkChoice(toolChoice, names);
  if (tools.length === 0 || toolChoice === "none") return [];
  if (!showsTools(chatTemplate))
    throw unsupported(
      "tools",
      "tools: expected none for this model, whose chat template knows no tools. Leave them out, or load a model that was trained for tools.",
    );
  for (const name of ["format", "ignoreEos", "continueFinalMessage"] as const)
    if (options[name]) throw unsupported(name, `${name}: expected none with tools, got one. Leave it out.`);
  callGrammar(tools, tools);
  return tools;
}

function checkTool(tool: Tool, i: number): void {
  const where = `tools[${i}]`;
  if (!isPlain(tool))
    throw wrongType(where, `expected { name, description, parameters }, got ${shown(tool)}.`);
  checkOptions(where, tool, {
    ...{ name: text, description: text },
    parameters: {
      ...object("a JSON Schema"),
      hasType: (value) => typeof value === "boolean" || isPlain(value),
    },
  });
  if (!NAME.test(tool.name))
    throw outOfRange(
      `${where}.name`,
      `expected 1 to 64 letters, digits, "_" and "-", got ${shown(tool.name)}.`,
    );
}

function checkChoice(choice: unknown, names: readonly string[]): void {
  const expected = `expected "none", "auto", "required" or { name } of a tool, got ${shown(choice)}.`;
  if (isPlain(choice)) {
    const { name } = choice as { readonly name?: unknown };
    if (names.includes(name as string)) return;
    const known = names.map((each) => JSON.stringify(each)).join(", ") || "no tools";
    throw outOfRange("toolChoice.name", `expected one of ${known}, got ${shown(name)}.`);
  }
  if (typeof choice !== "string") throw wrongType("toolChoice", expected);
  if (!["none", "auto", "required"].includes(choice)) throw outOfRange("toolChoice", expected);
  if (choice === "required" && names.length === 0)
    throw outOfRange("toolChoice", 'expected tools with "required", got none. Give some.');
}
