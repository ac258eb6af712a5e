// The body of a request: bounded, UTF-8, a JSON object that is not nested too deeply. What its fields say is for others to read.
import { shown } from "../engine/parameter.ts";
import { isObject } from "../engine/quiet-fields.ts";
import { HttpError } from "./errors.ts";
import type { Ctx } from "./exchange.ts";
import type { Limits } from "./service.ts";

/** @throws HttpError 413 or 400 */
export async function readBody(c: Ctx, limits: Limits): Promise<Readonly<Record<string, unknown>>> {
  const text = decode(await readBytes(c, limits.bodyBytes));
  if (depth(text, limits.jsonDepth) > limits.jsonDepth)
    throw bad(`Body: expected JSON nested at most ${limits.jsonDepth} deep, got more.`);
  const body = parse(text);
  if (isObject(body)) return body;
  throw bad(`Body: expected an object such as { "prompt": "…" }, got ${shown(body)}.`);
}

async function readBytes(c: Ctx, most: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new HttpError(413, `Body: expected at most ${most} bytes, got more. Send less.`, {
      code: "body_too_large",
    });
  if (Number(c.req.header("Content-Length") ?? 0) > most) throw tooLarge();
  const parts: Uint8Array[] = [];
  let length = 0;
  // Not `for await`: what is left of a body that is too long is for the server to drain.
  const reader = c.req.raw.body?.getReader();
  for (;;) {
    const part = await reader?.read().catch(() => {
      // Who stops in the middle has gone.
      const exchange = c.get("exchange");
      exchange.leave();
      throw exchange.signal.reason;
    });
    if (!part || part.done) return Buffer.concat(parts, length);
    length += part.value.length;
    if (length > most) throw tooLarge();
    parts.push(part.value);
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw bad("Body: expected UTF-8, got other bytes.");
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw bad("Body: expected JSON, got something else.");
  }
}

/** How deep lists and objects lie within each other; counting ends above `most`. */
function depth(text: string, most: number): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length && deepest <= most; i++) {
    const char = text[i];
    if (quoted && char === "\\") i++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && (char === "[" || char === "{")) deepest = Math.max(deepest, ++depth);
    else if (!quoted && (char === "]" || char === "}")) depth--;
  }
  return deepest;
}

const bad = (message: string) => new HttpError(400, message);
