// Parses JSON files that are not trusted: valid UTF-8, an object, and bounded nesting.
import { label, mismatch, show } from "./errors.ts";
import { foreignFile } from "./foreign-file.ts";
import { decodeUtf8, NotUtf8Error } from "./utf8.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * `strict`: no duplicate keys, as in a safetensors header. `python`: what Python's json module reads, since
 * Python writes these files: the last duplicate key wins, and Infinity and NaN are numbers. NaN becomes the
 * text "NaN", which is an error in every field.
 */
export type JsonDialect = "strict" | "python";

/** The bound of Rust's serde_json, which reads headers and tokenizer.json for the Python libraries. */
const MAX_DEPTH = 128;

/** Parses bytes as a JSON object. @throws CheckpointError naming `file` */
export function parseJson(
  bytes: Uint8Array,
  file: string,
  advice: string,
  dialect: JsonDialect = "strict",
): JsonObject {
  return parseJsonText(decodeText(bytes, file, advice), file, advice, dialect);
}

/**
 * Decodes UTF-8 text, without a byte order mark.
 * @throws CheckpointError for other bytes, saying what they are
 */
export function decodeText(bytes: Uint8Array, file: string, advice: string): string {
  const foreign = foreignFile(bytes);
  if (foreign) throw mismatch(file, "text", foreign.got, foreign.advice);
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    if (!(error instanceof NotUtf8Error)) throw error;
    throw mismatch(file, "UTF-8 text", error.got, advice);
  }
}

/** Parses text as a JSON object. @throws CheckpointError naming `file` */
export function parseJsonText(
  text: string,
  file: string,
  advice: string,
  dialect: JsonDialect = "strict",
): JsonObject {
  const depth = maxDepth(text);
  if (depth > MAX_DEPTH) {
    throw mismatch(file, `JSON nested at most ${MAX_DEPTH} deep`, `${depth}`, advice);
  }
  let value: unknown;
  try {
    value = parse(text, dialect);
  } catch (cause) {
    const error = mismatch(file, "JSON", `${show(text.slice(0, 60))} (${(cause as Error).message})`, advice);
    error.cause = cause;
    throw error;
  }
  if (!isObject(value)) throw mismatch(file, "a JSON object", show(value), advice);
  const twice = dialect === "strict" ? duplicateKey(text) : undefined;
  if (twice !== undefined) throw mismatch(file, `the key ${label(twice)} once`, "it twice", advice);
  return value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An own property of an object: "__proto__" and "toString" are ordinary names. */
export function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function parse(text: string, dialect: JsonDialect): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (dialect === "strict") throw error;
    const spelled = spellConstants(text);
    if (spelled === text) throw error;
    return JSON.parse(spelled);
  }
}

// The scanners below use no regular expression: it would overflow the stack on a string of several megabytes.

/** The depth of nested lists and objects. Counted before JSON.parse, so `text` may be invalid. */
function maxDepth(text: string): number {
  let depth = 0;
  let max = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        at = stringEnd(text, at) - 1;
        break;
      case 0x7b: // {
      case 0x5b: // [
        max = Math.max(max, ++depth);
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth--;
    }
  }
  return max;
}

/** Python's constants as JSON. JSON.parse reads a number that is too large as Infinity. */
const CONSTANTS: readonly (readonly [python: string, json: string])[] = [
  ["Infinity", "1e999"],
  ["NaN", '"NaN"'],
];

/** Replaces Python's constants outside of strings. */
function spellConstants(text: string): string {
  let spelled = "";
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') at = stringEnd(text, at) - 1;
    const [python, json] = CONSTANTS.find(([python]) => text.startsWith(python, at)) ?? [];
    if (python === undefined) continue;
    spelled += text.slice(from, at) + json;
    from = at + python.length;
    at = from - 1;
  }
  return spelled + text.slice(from);
}

/** The first duplicate key of an object, which JSON.parse does not report. `text` must be valid JSON. */
function duplicateKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []; // The keys of each open object; undefined for an open array.
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

/**
 * The end of the string whose opening quote is at `start`: the index after its closing quote, or text.length.
 */
export function stringEnd(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
}

function nextChar(text: string, start: number): string | undefined {
  let at = start;
  while (/\s/.test(text[at] ?? "x")) at++;
  return text[at];
}
