// A form in parts (multipart/form-data, RFC 7578), read as it arrives: no file is held in memory.
import { HttpError } from "./errors.ts";

/** A field of a form. */
export interface Part {
  readonly name: string;
  /** Its value. What is not read of it is skipped. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

const LINE_END = "\r\n";
/** Bytes of the headers of a part. */
const MAX_HEADERS = 4096;

/**
 * @param type the header Content-Type
 * @throws HttpError 415 for another type, 400 for a body that is not of this form, or cut off
 */
export async function* readParts(
  type: string | undefined,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Part, void, void> {
  const boundary = `${LINE_END}--${boundaryOf(type)}`;
  const input = new Input(body);
  for await (const _ of input.until(boundary));
  while ((await input.take(LINE_END.length)) === LINE_END) {
    const headers = await textOf(input.until(LINE_END + LINE_END), MAX_HEADERS, "headers");
    const bytes = input.until(boundary);
    yield { name: nameIn(headers), bytes };
    for await (const _ of bytes);
  }
}

/** @throws HttpError 400 if there are more than `most` bytes */
export async function textOf(bytes: AsyncIterable<Uint8Array>, most: number, what: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of bytes) {
    length += part.length;
    if (length > most) throw bad(`${what}: expected at most ${most} bytes, got more.`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/** `file` in `Content-Disposition: form-data; name="file"; filename="…"` */
function nameIn(headers: string): string {
  const [, quoted, bare] =
    /^content-disposition:[^\n]*?;[ \t]*name=(?:"([^"\n]*)"|([^\s;"]+))/im.exec(headers) ?? [];
  return quoted ?? bare ?? "";
}

function boundaryOf(type = ""): string {
  const [, quoted, bare] =
    /^multipart\/form-data\s*;[^\n]*?boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(type) ?? [];
  const boundary = quoted ?? bare;
  if (boundary !== undefined) return boundary;
  throw new HttpError(
    415,
    `Content-Type: expected multipart/form-data with a boundary, got ${JSON.stringify(type.slice(0, 80))}. Send a form, as curl -F does.`,
    { code: "unsupported_type" },
  );
}

const bad = (message: string): HttpError => new HttpError(400, message, { code: "invalid_body" });

class Input {
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** The first boundary may be the first line. */
  #pending: Buffer = Buffer.from(LINE_END);

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#chunks = body[Symbol.asyncIterator]();
  }

  async take(count: number): Promise<string> {
    while (this.#pending.length < count) await this.#more();
    return this.#cut(count).toString();
  }

  /** What comes before `mark`, which is skipped. */
  async *until(mark: string): AsyncGenerator<Uint8Array, void, void> {
    for (;;) {
      const at = this.#pending.indexOf(mark);
      // The mark may have come in part.
      yield this.#cut(at >= 0 ? at : Math.max(0, this.#pending.length - mark.length + 1));
      if (at >= 0) {
        this.#cut(mark.length);
        return;
      }
      await this.#more();
    }
  }

  #cut(count: number): Buffer {
    const cut = this.#pending.subarray(0, count);
    this.#pending = this.#pending.subarray(count);
    return cut;
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#chunks.next();
    if (done) throw bad("Body: expected the end of the form, got the end of the body. Send all of it.");
    this.#pending = Buffer.concat([this.#pending, value]);
  }
}
