// The body of a request: of limited size, UTF-8, JSON of limited depth. The fields are read
// elsewhere.
import { setImmediate } from "node:timers/promises";
import { isObject, stringEnd } from "../weights/json.ts";
import { decodeUtf8, NotUtf8Error } from "../weights/utf8.ts";
import { insteadOfJson, tooLarge, unpacker } from "./content.ts";
import { HttpError } from "./errors.ts";
import { findSlip } from "./json-slip.ts";
import type { Ctx } from "./request-lifecycle.ts";
import type { Limits } from "./service.ts";

/** A text of this many characters takes milliseconds to scan. */
const LONG = 2 ** 18;

/** JSON.parse blocks the event loop, and field names cost it most. No conversation has so many. */
const MAX_FIELDS = 2 ** 15;
/**
 * Elements of lists and objects: 128 prompts of 4096 token ids. More would block the event loop for too long.
 */
const MAX_VALUES = 2 ** 19;

/** The body as an object. @throws HttpError 413, 415 or 400 */
export async function readBody(c: Ctx, limits: Limits): Promise<Readonly<Record<string, unknown>>> {
  const body = await readJson(c, limits);
  if (isObject(body)) return body;
  throw bad(`Body: expected a JSON object such as { "prompt": "…" }, got ${kindOf(body)}.`);
}

/**
 * The body, which is any JSON. The same limit holds for it before and after unpacking.
 * @throws HttpError 413, 415 or 400
 */
export async function readJson(c: Ctx, limits: Limits): Promise<unknown> {
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
  return body;
}

/** Lets other requests run between two passes over a long text. */
const othersTurn = async (text: string): Promise<void> => {
  if (text.length > LONG) await setImmediate();
};

async function readBytes(c: Ctx, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of bodyChunks(c, most)) parts.push(part);
  return Buffer.concat(parts);
}

/** The bytes of a body as they come. @throws HttpError 413 if there are more than `most` */
export async function* bodyChunks(c: Ctx, most: number): AsyncGenerator<Uint8Array, void, void> {
  if (Number(c.req.header("Content-Length") ?? 0) > most) throw tooLarge(most);
  let length = 0;
  // Not `for await`, which would cancel the stream: the server drains the rest of a body that is too long.
  const reader = c.req.raw.body?.getReader();
  for (;;) {
    const part = await reader?.read().catch(() => {
      // The client closed the connection.
      const lifecycle = c.get("lifecycle");
      lifecycle.leave();
      throw lifecycle.signal.reason;
    });
    if (!part || part.done) return;
    length += part.value.length;
    if (length > most) throw tooLarge(most);
    yield part.value;
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

/** Where the wrong bytes are; for UTF-16 and for gzip without Content-Encoding, what to do. */
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
    if (!slip) throw bad("Body: expected JSON, got something else.", "invalid_json");
    const { line, column, expected, got } = slip;
    throw bad(
      `Body: expected JSON, got a syntax error at line ${line}, column ${column}: expected ${expected}, got ${got}.`,
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

/**
 * How deep lists and objects lie within each other, and how much is in them; counting ends where it is too
 * much.
 */
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

const bad = (message: string, code = "invalid_body") => new HttpError(400, message, { code });
