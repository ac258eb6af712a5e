// The tools of a request, and the calls in its messages -> those of `chat`. One reader for OpenAI's chat and
// Workers AI.
import { isObject } from "../../weights/json.ts";
import type { ChatOptions, Tool, ToolCall, ToolChoice } from "../api.ts";
import { outOfRange, shown, unsupported, wrongType } from "../options/parameter.ts";
import { type Given, isNothing, refuseOthers } from "./quiet-fields.ts";
import { readFlag } from "./request-options.ts";

export const TOOL_FIELDS = ["tools", "tool_choice", "parallel_tool_calls"] as const;

const FUNCTION = new Set(["name", "description", "parameters", "strict"]);
const CALL = new Set(["name", "arguments"]);

/**
 * @param flat whether a tool may be the function itself, without `type` and `function` around it
 * @param others fields that the request has, and that tools cannot be combined with
 * @throws TypeError or RangeError with `parameter`
 */
export function readTools(
  given: Given,
  flat: boolean,
  others: readonly (string | undefined | false)[],
): Pick<ChatOptions, "tools" | "toolChoice" | "parallelToolCalls"> {
  const { tools: asked, tool_choice: choice } = given;
  if (!isNothing(asked) && !Array.isArray(asked))
    throw wrongType("tools", `expected a list of functions, got ${shown(asked)}.`);
  const tools = isNothing(asked)
    ? []
    : (asked as unknown[]).map((tool, i) => readTool(tool, `tools[${i}]`, flat));
  const toolChoice = isNothing(choice) ? "auto" : readChoice(choice, tools);
  const several = readFlag(given, "parallel_tool_calls", true);
  if (tools.length === 0) return {};
  const other = toolChoice !== "none" && others.find(Boolean);
  if (other) throw unsupported(other, `${other}: expected none with tools, got one. Leave it out.`);
  return { tools, toolChoice, ...(!several && { parallelToolCalls: false }) };
}

function readTool(tool: unknown, where: string, flat: boolean): Tool {
  if (!isObject(tool)) throw wrongType(where, `expected an object, got ${shown(tool)}.`);
  if (flat && !isObject(tool["function"])) return readFunction(tool, where);
  if (tool["type"] !== "function")
    throw unsupported(
      `${where}.type`,
      `${where}.type: expected "function", got ${shown(tool["type"])}. Sirocco has no tools of its own.`,
    );
  refuseOthers(tool, new Set(["type", "function"]), `${where}.`);
  return readFunction(tool["function"], `${where}.function`);
}

function readFunction(given: unknown, where: string): Tool {
  if (!isObject(given)) throw wrongType(where, `expected { name, parameters }, got ${shown(given)}.`);
  refuseOthers(given, FUNCTION, `${where}.`);
  const { name, description, parameters, strict } = given;
  if (typeof name !== "string") throw wrongType(`${where}.name`, `expected a text, got ${shown(name)}.`);
  if (!isNothing(description) && typeof description !== "string")
    throw wrongType(`${where}.description`, `expected a text, got ${shown(description)}.`);
  if (!isNothing(parameters) && !isObject(parameters))
    throw wrongType(`${where}.parameters`, `expected a JSON Schema, got ${shown(parameters)}.`);
  // Arguments are held to their schemas in any case.
  if (!isNothing(strict) && strict !== true)
    throw wrongType(`${where}.strict`, `expected true or false, got ${shown(strict)}.`);
  return {
    name,
    ...(typeof description === "string" && description !== "" && { description }),
    ...(isObject(parameters) && !isNothing(parameters) && { parameters }),
  };
}

/** Also Mistral's "any", which is "required". */
function readChoice(choice: unknown, tools: readonly Tool[]): ToolChoice {
  const asked = choice === "any" ? "required" : choice;
  if (asked === "none" || asked === "auto" || asked === "required") {
    if (asked === "required" && tools.length === 0)
      throw outOfRange("tool_choice", `expected tools with ${shown(choice)}, got none. Give some.`);
    return asked;
  }
  const called = isObject(choice) && choice["type"] === "function" ? choice["function"] : undefined;
  const name = isObject(called) ? called["name"] : undefined;
  if (typeof name !== "string")
    throw wrongType(
      "tool_choice",
      `expected "none", "auto", "required" or { type: "function", function: { name } }, got ${shown(choice)}.`,
    );
  if (!tools.some((tool) => tool.name === name))
    throw outOfRange("tool_choice.function.name", `expected the name of a tool, got ${shown(name)}.`);
  return { name };
}

/** The calls of an assistant's message. Without ids, a call has the name of its tool for one. */
export function readCalls(calls: unknown, where: string): readonly ToolCall[] {
  if (!Array.isArray(calls)) throw wrongType(where, `expected a list of calls, got ${shown(calls)}.`);
  return calls.map((call: unknown, i) => readCall(call, `${where}[${i}]`));
}

function readCall(call: unknown, where: string): ToolCall {
  if (!isObject(call)) throw wrongType(where, `expected an object, got ${shown(call)}.`);
  const { type } = call;
  if (!isNothing(type) && type !== "function")
    throw unsupported(`${where}.type`, `${where}.type: expected "function", got ${shown(type)}.`);
  const isWrapped = type === "function" || "function" in call;
  const known = ["id", "type", "index", ...(isWrapped ? ["function"] : CALL)];
  refuseOthers(call, new Set(known), `${where}.`);
  const inner = isWrapped ? call["function"] : call;
  if (!isObject(inner))
    throw wrongType(`${where}.function`, `expected { name, arguments }, got ${shown(inner)}.`);
  const inside = isWrapped ? `${where}.function` : where;
  if (isWrapped) refuseOthers(inner, CALL, `${inside}.`);
  const { name, arguments: args } = inner;
  if (typeof name !== "string") throw wrongType(`${inside}.name`, `expected a text, got ${shown(name)}.`);
  if (!isArguments(args))
    throw wrongType(`${inside}.arguments`, `expected a JSON object as a text, got ${shown(args)}.`);
  const id = call["id"] ?? name;
  if (typeof id !== "string") throw wrongType(`${where}.id`, `expected a text, got ${shown(id)}.`);
  return { id, name, arguments: typeof args === "string" ? args : JSON.stringify(args) };
}

/** An object, its text, or no text: clients write that for no arguments. */
function isArguments(given: unknown): given is string | object {
  if (typeof given !== "string" || given === "") return given === "" || isObject(given);
  try {
    return isObject(JSON.parse(given));
  } catch {
    return false;
  }
}
