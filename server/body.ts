// The body of a request: bounded, UTF-8, a JSON object that is not nested too deeply. What its fields say is for others to read.
import { setImmediate } from "node:timers/promises";
import { isObject, stringEnd } from "../weights/json.ts";
import { decodeUtf8, NotUtf8Error } from "../weights/utf8.ts";
import { insteadOfJson, tooLarge, unpacker } from "./content.ts";
import { HttpError } from "./errors.ts";
import { findSlip } from "./json-slip.ts";
import type { Ctx } from "./request-lifecycle.ts";
import type { Limits } from "./service.ts";

/** Characters of a body that takes milliseconds to look through. */
const LONG = 2 ** 18;

/** More than any conversation has. JSON.parse keeps everybody waiting, and the names of fields are what takes it longest. */
const MAX_FIELDS = 2 ** 15;
/** Of lists and objects: token ids of 128 prompts, of 4096 each. More take JSON.parse longer than others should wait. */
const MAX_VALUES = 2 ** 19;

/** Packed bodies are unpacked within the same bound. @throws HttpError 413, 415 or 400 */
export async function readBody(c: Ctx, limits: Limits): Promise<Readonly<Record<string, unknown>>> {
  const unpack = unpacker(c.req.header("Content-Encoding"));
  const bytes = await readBytes(c, limits.bodyBytes);
  const text = decode(unpack ? await unpack(bytes, limits.bodyBytes) : bytes);
  await othersTurn(text);
  const { deepest, fields, values } = extent(text, limits.jsonDepth);
  if (deepest > limits.jsonDepth)
    throw bad(`Body: expected JSON nested at most ${limits.jsonDepth} deep, got more.`);
  if (fields > MAX_FIELDS) throw bad(`Body: expected at most ${MAX_FIELDS} fields in all, got more.`);
  if (values > MAX_VALUES)
    throw bad(`Body: expected at most ${MAX_VALUES} values in all, got more. Send fewer tokens at once.`);
  await othersTurn(text);
  const body = parse(text, c.req.header("Content-Type") ?? "");
  await othersTurn(text);
  if (isObject(body)) return body;
  throw bad(`Body: expected a JSON object such as { "prompt": "…" }, got ${kindOf(body)}.`);
}

/** Between two passes over a long text. */
const othersTurn = async (text: string): Promise<void> => {
  if (text.length > LONG) await setImmediate();
};

async function readBytes(c: Ctx, most: number): Promise<Uint8Array> {
  if (Number(c.req.header("Content-Length") ?? 0) > most) throw tooLarge(most);
  const parts: Uint8Array[] = [];
  let length = 0;
  // Not `for await`: what is left of a body that is too long is for the server to drain.
  const reader = c.req.raw.body?.getReader();
  for (;;) {
    const part = await reader?.read().catch(() => {
      // Who stops in the middle has gone.
      const lifecycle = c.get("lifecycle");
      lifecycle.leave();
      throw lifecycle.signal.reason;
    });
    if (!part || part.done) return Buffer.concat(parts, length);
    length += part.value.length;
    if (length > most) throw tooLarge(most);
    parts.push(part.value);
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    if (!(error instanceof NotUtf8Error)) throw error;
    throw bad(`Body: expected UTF-8, got other bytes${places(bytes, error.offset)}.`);
  }
}

/** Where they are: of a text in UTF-16, or packed without Content-Encoding, the next step as well. */
function places(bytes: Uint8Array, offset: number | undefined): string {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return ": gzip. Add the header Content-Encoding: gzip";
  return offset === undefined ? ": UTF-16. Send UTF-8" : ` at offset ${offset}`;
}

function parse(text: string, type: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const other = insteadOfJson(text, type);
    if (other)
      throw bad(
        `Body: expected a JSON object, got ${other}. Send JSON, with Content-Type: application/json.`,
      );
    const slip = findSlip(text);
    if (!slip) throw bad("Body: expected JSON, got something else.");
    const { line, column, expected, got } = slip;
    throw bad(
      `Body: expected JSON, got a slip at line ${line}, column ${column}: expected ${expected}, got ${got}.`,
      "invalid_json",
    );
  }
}

const kindOf = (value: unknown): string =>
  Array.isArray(value)
    ? "a list"
    : value === null
      ? "null"
      : `a ${typeof value === "string" ? "text" : typeof value}`;

const [QUOTE, COMMA, COLON, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [
  34, 44, 58, 91, 93, 123, 125,
];

interface Extent {
  readonly deepest: number;
  readonly fields: number;
  readonly values: number;
}

/** How deep lists and objects lie within each other, and how much is in them; counting ends where it is too much. */
function extent(text: string, most: number): Extent {
  let depth = 0;
  let deepest = 0;
  let fields = 0;
  let values = 1;
  const isTooMuch = () => deepest > most || fields > MAX_FIELDS || values > MAX_VALUES;
  for (let i = 0; i < text.length && !isTooMuch(); i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = stringEnd(text, i) - 1;
        break;
      case COMMA:
        values++;
        break;
      case COLON:
        fields++;
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        deepest = Math.max(deepest, ++depth);
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        depth--;
    }
  }
  return { deepest, fields, values };
}

const bad = (message: string, code?: string) => new HttpError(400, message, code ? { code } : {});
