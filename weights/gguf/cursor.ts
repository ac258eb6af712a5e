// Reads values from the beginning of a file, which arrives in growing parts.
import { mismatch } from "../errors.ts";
import { decodeUtf8, NotUtf8Error } from "../utf8.ts";

type Read = (start: number, end: number) => Promise<Uint8Array<ArrayBuffer>>;

const ADVICE = "The file is damaged or incomplete: fetch it again.";
/** Bytes of the first part. Each further one is as long as all before it. */
const FIRST_BYTES = 2 ** 17;
/** Bytes of a header. A vocabulary of 150,000 tokens with its merges takes 8 MB. */
const MAX_BYTES = 2 ** 27;

/** Bytes up to `end` are needed before a value can be read. */
class More extends Error {
  readonly end: number;

  constructor(end: number) {
    super();
    this.end = end;
  }
}

export class Cursor {
  readonly file: string;
  /** For messages: what is being read. */
  where: string;
  /** Offset of the next value. */
  at = 0;
  view = new DataView(new ArrayBuffer(0));
  #bytes = new Uint8Array();
  readonly #size: number;
  readonly #read: Read;

  /** @param size of the file in bytes */
  constructor(file: string, size: number, read: Read) {
    this.file = file;
    this.where = file;
    this.#size = size;
    this.#read = read;
  }

  /** What `read` returns. It is called again, from the same offset, if it needed bytes that were not here. */
  async parse<T>(where: string, read: () => T): Promise<T> {
    const start = this.at;
    for (;;) {
      this.at = start;
      this.where = where;
      try {
        return read();
      } catch (error) {
        if (!(error instanceof More)) throw error;
        await this.#grow(error.end);
      }
    }
  }

  async #grow(end: number): Promise<void> {
    if (end > this.#size) {
      throw mismatch(this.where, `at least ${end} bytes of file`, `${this.#size}`, ADVICE);
    }
    if (end > MAX_BYTES) throw mismatch(this.where, `a header of at most ${MAX_BYTES} bytes`, "more", ADVICE);
    const have = this.#bytes.length;
    const next = Math.min(this.#size, MAX_BYTES, Math.max(end, 2 * have, FIRST_BYTES));
    const part = await this.#read(have, next);
    const bytes = new Uint8Array(next);
    bytes.set(this.#bytes);
    bytes.set(part, have);
    this.#bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** Moves past `count` bytes. @returns their offset in `view` */
  take(count: number): number {
    this.expect(count);
    this.at += count;
    return this.at - count;
  }

  /** Asks for the next `count` bytes, if they are not here. */
  expect(count: number): void {
    if (this.at + count > this.#bytes.length) throw new More(this.at + count);
  }

  bytesAt(start: number, end: number): Uint8Array {
    return this.#bytes.subarray(start, end);
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  /** @param what it is, for messages */
  u64(what: string): number {
    const value = this.view.getBigUint64(this.take(8), true);
    if (value <= Number.MAX_SAFE_INTEGER) return Number(value);
    throw mismatch(this.where, `${what} below 2^53`, `${value}`, ADVICE);
  }

  /** A number of things that take at least `bytes` each in the rest of the file. */
  count(what: string, bytes: number): number {
    const value = this.u64(`a number of ${what}`);
    const most = Math.floor((this.#size - this.at) / bytes);
    if (value <= most) return value;
    throw mismatch(this.where, `at most ${most} ${what} in the rest of the file`, `${value}`, ADVICE);
  }

  flag(): boolean {
    const byte = this.view.getUint8(this.take(1));
    if (byte > 1) throw mismatch(this.where, "true or false (1 or 0)", `${byte}`, ADVICE);
    return byte === 1;
  }

  /** @param most bytes of it */
  text(most = Infinity): string {
    const length = this.count("bytes of text", 1);
    if (length > most) throw mismatch(this.where, `a text of at most ${most} bytes`, `${length}`, ADVICE);
    const start = this.take(length);
    try {
      return decodeUtf8(this.#bytes.subarray(start, start + length), true);
    } catch (error) {
      if (!(error instanceof NotUtf8Error)) throw error;
      throw mismatch(this.where, "UTF-8 text", error.got, ADVICE);
    }
  }
}
