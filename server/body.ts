// The body of a request: bounded, UTF-8, JSON that is not nested too deeply, of the shape a schema says.
import type { z } from "zod";
import { HttpError } from "./errors.ts";
import type { Ctx } from "./exchange.ts";
import type { Limits } from "./service.ts";

/** @throws HttpError 413 or 400 */
export async function readBody<T>(c: Ctx, limits: Limits, schema: z.ZodType<T>): Promise<T> {
  const text = decode(await readBytes(c, limits.bodyBytes));
  if (depth(text, limits.jsonDepth) > limits.jsonDepth)
    throw bad(`Body: expected JSON nested at most ${limits.jsonDepth} deep, got more.`);
  const result = schema.safeParse(parse(text));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const param = pathOf(issue?.path ?? []);
  throw bad(`${param || "Body"}: ${issue?.message ?? "expected another value"}.`, param);
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

/** "messages[0].content", as OpenAI spells it. */
const pathOf = (path: readonly PropertyKey[]): string =>
  path.map((key, i) => (typeof key === "number" ? `[${key}]` : `${i > 0 ? "." : ""}${String(key)}`)).join("");

const bad = (message: string, param?: string) => new HttpError(400, message, param ? { param } : {});
