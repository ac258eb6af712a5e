// JSON objects out of files that somebody else wrote: valid UTF-8, an object, nested no deeper than honest files are.
import { label, mismatch, show } from "./errors.ts";
import { foreignFile } from "./foreign-file.ts";
import { decodeUtf8, NotUtf8Error } from "./utf8.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * `strict`: no key twice, as in a safetensors header. `python`: what Python's json module reads, as the libraries do that write
 * these files: the last of equal keys counts; Infinity and NaN are numbers. (NaN becomes the text "NaN", which no field takes.)
 */
export type JsonDialect = "strict" | "python";

/** As in Rust's serde_json, which reads headers and tokenizer.json for the Python libraries. */
const MOST_DEPTH = 128;

/** `bytes` as a JSON object. @throws CheckpointError naming `file`. */
export function parseJson(
  bytes: Uint8Array,
  file: string,
  advice: string,
  dialect: JsonDialect = "strict",
): JsonObject {
  return parseJsonText(decodeText(bytes, file, advice), file, advice, dialect);
}

/** `bytes` as text, without a byte order mark. @throws CheckpointError where they are no text, or another file in its place. */
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

/** `text` as a JSON object. @throws CheckpointError naming `file`. */
export function parseJsonText(
  text: string,
  file: string,
  advice: string,
  dialect: JsonDialect = "strict",
): JsonObject {
  const depth = deepest(text);
  if (depth > MOST_DEPTH) {
    throw mismatch(
      file,
      `JSON of at most ${MOST_DEPTH} lists and objects within each other`,
      `${depth}`,
      advice,
    );
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

/** An object's own property: "__proto__" and "toString" are names like any other. */
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

// All by hand, since a regular expression overflows its stack on a string of some megabytes.

/** How many lists and objects lie within each other at most; counted before JSON.parse has seen `text`. */
function deepest(text: string): number {
  let depth = 0;
  let most = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        at = stringEnd(text, at) - 1;
        break;
      case 0x7b: // {
      case 0x5b: // [
        most = Math.max(most, ++depth);
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth--;
    }
  }
  return most;
}

/** Python's constants as JSON has them: a number past the largest is read as Infinity. */
const CONSTANTS: readonly (readonly [python: string, json: string])[] = [
  ["Infinity", "1e999"],
  ["NaN", '"NaN"'],
];

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

/** The first key that an object has twice: JSON.parse keeps the last and says nothing. `text` has already passed it. */
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

/** Where the string ends that begins with the quote at `start`: just past its last quote, or at the end of `text`. */
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
