// What an answer has to be, as the visitor writes it in the settings: JSON, a schema, a pattern, choices.
import type { AnswerFormat, JsonSchema } from "./engine.ts";

export type ShapeName = "text" | "json" | "json_schema" | "regex" | "choice";

export interface AnswerShape {
  readonly name: ShapeName;
  readonly label: string;
  /** What the visitor writes for it; undefined: nothing. */
  readonly asks?: string;
  readonly example?: string;
}

export const SHAPES: readonly AnswerShape[] = [
  { name: "text", label: "Any text" },
  { name: "json", label: "JSON" },
  {
    name: "json_schema",
    label: "JSON of a schema",
    asks: "JSON Schema",
    example:
      '{"type":"object","properties":{"animal":{"enum":["dog","cat"]},"age":{"type":"integer"}},"required":["animal","age"],"additionalProperties":false}',
  },
  {
    name: "regex",
    label: "A pattern",
    asks: "Regular expression",
    example: "(yes|no), because [a-z ]{5,60}\\.",
  },
  {
    name: "choice",
    label: "One of some texts",
    asks: "The texts, one a line",
    example: "spam\nwork\nprivate",
  },
];

export const shapeOf = (name: string): AnswerShape =>
  SHAPES.find((each) => each.name === name) ?? (SHAPES[0] as AnswerShape);

/**
 * @param text what the visitor wrote
 * @returns undefined for any text
 * @throws TypeError with the code `wrong-type` for a schema that is no JSON
 */
export function formatOf(name: string, text: string): AnswerFormat | undefined {
  const shape = shapeOf(name);
  if (shape.name === "json") return { type: "json" };
  // Nothing was asked for yet.
  if (shape.name === "text" || text.trim() === "") return undefined;
  if (shape.name === "json_schema") return { type: "json_schema", schema: parsed(text) };
  if (shape.name === "regex") return { type: "regex", pattern: text.trim() };
  const choices = text.split("\n").flatMap((line) => (line.trim() ? [line.trim()] : []));
  return { type: "choice", choices };
}

function parsed(text: string): JsonSchema {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = `The JSON Schema in the settings is no JSON: ${cause instanceof Error ? cause.message : cause}`;
    throw Object.assign(new TypeError(why, { cause }), { code: "wrong-type" });
  }
}

/** @returns what is wrong with the text, before a model sees it; undefined: nothing is */
export function shapeProblem(name: string, text: string): string | undefined {
  try {
    formatOf(name, text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
