// The tools that a model may ask for, as a visitor lists them in the settings. Fetched when there are some.
import type { JsonSchema, Tool } from "./engine.ts";

export const EXAMPLE = `[
  {
    "name": "get_weather",
    "description": "Tells the weather in a city now.",
    "parameters": {
      "type": "object",
      "properties": {
        "city": { "type": "string" },
        "unit": { "enum": ["celsius", "fahrenheit"] }
      },
      "required": ["city"],
      "additionalProperties": false
    }
  }
]
`;

/**
 * Names and schemas are checked by the engine, or by the server.
 *
 * @param text a JSON list of tools: `name`, `description`, `parameters`, with or without OpenAI's
 * `{"type": "function", "function": …}` around them; empty for none
 * @throws TypeError with the code `wrong-type`
 */
export function toolsOf(text: string): readonly Tool[] {
  if (text.trim() === "") return [];
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (cause) {
    throw refused(`no JSON: ${cause instanceof Error ? cause.message : cause}`, cause);
  }
  if (!Array.isArray(list)) throw refused('no list. Put them between "[" and "]".');
  return list.map(toolOf);
}

function toolOf(value: unknown, i: number): Tool {
  const outer = Object(value) as Record<string, unknown>;
  const { name, description, parameters } = Object(outer["function"] ?? outer) as Record<string, unknown>;
  if (typeof name !== "string") throw refused(`no tools: number ${i + 1} has no "name".`);
  return {
    name,
    ...(typeof description === "string" && { description }),
    ...(parameters !== undefined && { parameters: parameters as JsonSchema }),
  };
}

const refused = (why: string, cause?: unknown): TypeError =>
  Object.assign(new TypeError(`The tools in the settings are ${why}`, { cause }), { code: "wrong-type" });

/** @returns what is wrong with the text, before a model sees it; undefined: nothing is */
export function toolsProblem(text: string): string | undefined {
  try {
    toolsOf(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
