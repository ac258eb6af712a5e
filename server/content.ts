// Content-Encoding of a body: gzip, deflate and br, unpacked within the size limit; and names for bodies that
// are not JSON.
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, inflateRaw } from "node:zlib";
import { HttpError } from "./errors.ts";

const UNPACK = {
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  br: promisify(brotliDecompress),
  // Some clients leave the zlib header out.
  deflate: (bytes: Uint8Array, options: { maxOutputLength: number }) =>
    promisify(((bytes[0] ?? 0) & 0x0f) === 8 ? inflate : inflateRaw)(bytes, options),
};

/** Nested encodings would multiply the size twice. */
const MAX_CODINGS = 1;

/**
 * @param coding the header Content-Encoding
 * @throws HttpError 415 for an unknown encoding, before the body is read
 */
export function unpacker(coding: string | undefined) {
  const codings = (coding ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
  const [name] = codings;
  if (name === undefined) return undefined;
  if (codings.length > MAX_CODINGS || !Object.hasOwn(UNPACK, name))
    throw new HttpError(
      415,
      `Content-Encoding: expected gzip, deflate, br or none, got ${JSON.stringify(coding?.slice(0, 40))}. Send the body as it is.`,
      { code: "unsupported_encoding", headers: { "Accept-Encoding": "gzip, deflate, br" } },
    );
  /** @throws HttpError 413 if more than `most` bytes result, 400 if the bytes are damaged */
  return async (bytes: Uint8Array, most: number): Promise<Uint8Array> => {
    try {
      return await UNPACK[name as keyof typeof UNPACK](bytes, { maxOutputLength: Math.max(1, most) });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(most);
      throw new HttpError(
        400,
        `Body: expected ${name}, as Content-Encoding says, got other or damaged bytes.`,
        { code: "invalid_body", cause },
      );
    }
  };
}

export const tooLarge = (most: number): HttpError =>
  new HttpError(413, `Body: expected at most ${most} bytes, got more. Send less.`, {
    code: "body_too_large",
  });

/** What was sent instead of JSON, if it can be recognized: for a message. */
export function insteadOfJson(text: string, type: string): string | undefined {
  if (text.trim() === "") return "an empty body";
  if (/^multipart\//i.test(type) || /^--\S+\r?\nContent-/i.test(text))
    return "a form in parts (multipart/form-data)";
  if (/^\s*[\w.[\]%+-]+=/.test(text)) return "fields of a form (name=value)";
  if (/^\s*<[!?a-z]/i.test(text)) return "HTML or XML";
  if (/^\s*data:/.test(text)) return "an event stream";
  return undefined;
}
