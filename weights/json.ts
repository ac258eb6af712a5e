// Strict JSON objects out of files that somebody else wrote: valid UTF-8, an object, no key twice.
import { label, mismatch, show } from "./errors.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** `bytes` as a JSON object. @throws CheckpointError naming `file`. */
export function parseJson(bytes: Uint8Array, file: string, advice: string): JsonObject {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw mismatch(file, "UTF-8 text", "bytes that are not", advice);
  }
  return parseJsonText(text, file, advice);
}

/** `text` as a JSON object. @throws CheckpointError naming `file`. */
export function parseJsonText(text: string, file: string, advice: string): JsonObject {
  if (/^\s*<(!doctype|html|head|body|\?xml)/i.test(text)) {
    throw mismatch(
      file,
      "JSON",
      "an HTML or XML page",
      "The server answered with a page: check the address.",
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const error = mismatch(file, "JSON", `${show(text.slice(0, 60))} (${(cause as Error).message})`, advice);
    error.cause = cause;
    throw error;
  }
  if (!isObject(value)) throw mismatch(file, "a JSON object", show(value), advice);
  const twice = duplicateKey(text);
  if (twice !== undefined) throw mismatch(file, `the key ${label(twice)} once`, "it twice", advice);
  return value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object's own property: "__proto__" and "toString" are names like any other. */
export function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

// JSON.parse keeps the last of two equal keys and says nothing. `text` has already passed it, so brackets match.
// By hand, since a regular expression overflows its stack on a string of some megabytes.
function duplicateKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []; // one a nesting level; undefined for arrays
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === "{") open.push(new Set());
    else if (char === "[") open.push(undefined);
    else if (char === "}" || char === "]") open.pop();
    else if (char === '"') {
      const end = stringEnd(text, at);
      const keys = open.at(-1);
      if (keys && nextChar(text, end) === ":") {
        const key: string = JSON.parse(text.slice(at, end));
        if (keys.has(key)) return key;
        keys.add(key);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** Just past the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

function nextChar(text: string, start: number): string | undefined {
  let at = start;
  while (/\s/.test(text[at] ?? "x")) at++;
  return text[at];
}
