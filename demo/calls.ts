// Calls of tools in an answer: how they grow, and how they are read from data that nobody vouches for.
import type { ToolCall, ToolCallDelta } from "./engine.ts";

/** In an answer: more than an engine makes. */
const MOST_CALLS = 128;
const NAME = /^[\w.-]{1,64}$/;
const LONGEST_ID = 200;

/** Adds pieces of an answer to its calls. */
export function addPieces(calls: ToolCall[], pieces: readonly ToolCallDelta[] = []): void {
  for (const { id, name, arguments: more } of pieces) {
    const known = calls.findIndex((call) => call.id === id);
    if (known === -1) calls.push({ id, name, arguments: more });
    else calls[known] = { id, name, arguments: `${calls[known]?.arguments}${more}` };
  }
}

/** Those that are whole. An answer may have been stopped within one. */
export const wholeCalls = (calls: readonly ToolCall[]): ToolCall[] =>
  calls.flatMap((each) => callOf(each) ?? []).slice(0, MOST_CALLS);

/** undefined if these are not the calls of an answer */
export function callsOf(value: unknown): readonly ToolCall[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > MOST_CALLS) return undefined;
  const calls = value.flatMap((each) => callOf(each) ?? []);
  const ids = new Set(calls.map(({ id }) => id));
  return ids.size === value.length ? calls : undefined;
}

function callOf(value: unknown): ToolCall | undefined {
  const { id, name, arguments: text } = Object(value) as Record<string, unknown>;
  if (typeof id !== "string" || id === "" || id.length > LONGEST_ID) return undefined;
  if (typeof name !== "string" || !NAME.test(name)) return undefined;
  return typeof text === "string" && isObject(text) ? { id, name, arguments: text } : undefined;
}

/** Whether this is the text of a JSON object. */
function isObject(text: string): boolean {
  const value = parsed(text);
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A JSON text on lines of its own. It stays as it is where that would change a number or how a character is
 * written, and if it is no JSON.
 */
export function indented(text: string): string {
  const value = parsed(text);
  const isSame = value !== undefined && JSON.stringify(value) === withoutBlanks(text);
  return isSame ? JSON.stringify(value, undefined, 2) : text;
}

/** The text without blanks between its strings, numbers and brackets. */
const withoutBlanks = (json: string): string => json.replace(/("(?:[^"\\]|\\.)*")|\s+/g, "$1");

/** undefined: it is no JSON */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
