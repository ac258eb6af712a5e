// Reads messages of protocol buffers that are not trusted: no length or number leaves its message.
import { mismatch } from "../errors.ts";

const ADVICE = "The file is damaged: fetch it again.";
/** Bytes of the longest number: 64 bits, 7 in each. */
const MAX_VARINT = 10;
/** How a value is written. */
const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** A value as it is written: a number, or bytes (a text, a message). */
type Value = number | Uint8Array;

/** The fields of a message by their numbers. Of several values for a field, the last one counts. */
export class Message {
  readonly #where: string;
  readonly #fields: ReadonlyMap<number, Value>;

  /** @param where file and message, for errors @throws CheckpointError */
  constructor(bytes: Uint8Array, where: string) {
    this.#where = where;
    this.#fields = new Map(fieldsOf(bytes, where));
  }

  /** @throws CheckpointError if the field has bytes */
  number(field: number, name: string): number | undefined {
    const value = this.#fields.get(field);
    if (value === undefined || typeof value === "number") return value;
    throw this.wrong(name, "a number", `${value.length} bytes`);
  }

  flag(field: number, name: string, fallback: boolean): boolean {
    const value = this.number(field, name) ?? Number(fallback);
    if (value === 0 || value === 1) return value === 1;
    throw this.wrong(name, "true or false (1 or 0)", `${value}`);
  }

  /** @throws CheckpointError if the field has a number */
  bytes(field: number, name: string): Uint8Array | undefined {
    const value = this.#fields.get(field);
    if (value === undefined || typeof value !== "number") return value;
    throw this.wrong(name, "bytes", `the number ${value}`);
  }

  /** The error for a wrong value. */
  wrong(name: string, expected: string, got: string, advice = ADVICE): Error {
    return mismatch(`${this.#where}.${name}`, expected, got, advice);
  }
}

/**
 * The fields of a message in their order. Numbers above 2^53, such as negative ones, are not exact.
 * @throws CheckpointError
 */
export function* fieldsOf(bytes: Uint8Array, where: string): Generator<[field: number, value: Value], void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const wrong = (expected: string, got: string): Error =>
    mismatch(`${where}, byte ${at}`, expected, got, ADVICE);
  const varint = (): number => {
    let value = 0;
    for (let i = 0; i < MAX_VARINT; i++) {
      const byte = bytes[at + i];
      if (byte === undefined) throw wrong("a whole number", "the end of it");
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte >= 0x80) continue;
      at += i + 1;
      return value;
    }
    throw wrong(`a number of at most ${MAX_VARINT} bytes`, "a longer one");
  };
  const take = (length: number): number => {
    const rest = bytes.length - at;
    if (length > rest) throw wrong(`at most the ${rest} bytes that follow`, `a length of ${length}`);
    at += length;
    return at - length;
  };
  while (at < bytes.length) {
    const tag = varint();
    const [field, wire] = [Math.floor(tag / 8), tag % 8];
    if (field === 0 || field >= 2 ** 29) throw wrong("a field from 1 to 2^29 - 1", `${field}`);
    if (wire === WIRE.varint) yield [field, varint()];
    else if (wire === WIRE.fixed32) yield [field, view.getFloat32(take(4), true)];
    else if (wire === WIRE.fixed64) yield [field, view.getFloat64(take(8), true)];
    else if (wire === WIRE.bytes) {
      const length = varint();
      const start = take(length);
      yield [field, bytes.subarray(start, start + length)];
    } else throw wrong("a kind of value that protocol buffers have", `${wire}`);
  }
}
