// A file of records. A crash while one is written leaves the records before it intact.
import { type JsonObject, parseJsonText } from "../json.ts";
import type { RandomAccess } from "./random-access.ts";

const CHECK_DIGITS = 8;

/** A record as bytes: the CRC-32 of its JSON, a space, the JSON, a line feed. */
export function encodeRecord(record: JsonObject): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(record);
  const check = crc32(new TextEncoder().encode(text)).toString(16).padStart(CHECK_DIGITS, "0");
  return new TextEncoder().encode(`${check} ${text}\n`);
}

/** The records before the first incomplete or damaged one, and their length in bytes. */
export function decodeRecords(bytes: Uint8Array): { records: JsonObject[]; length: number } {
  const records: JsonObject[] = [];
  let length = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, length)) {
    const line = bytes.subarray(length, end);
    const check = new TextDecoder().decode(line.subarray(0, CHECK_DIGITS + 1));
    const json = line.subarray(CHECK_DIGITS + 1);
    if (check !== `${crc32(json).toString(16).padStart(CHECK_DIGITS, "0")} `) break;
    records.push(parseJsonText(new TextDecoder().decode(json), "journal", "Delete the stored model."));
    length = end + 1;
  }
  return { records, length };
}

/** Appends records to a file. */
export class Journal {
  /** The records that the file had when it was opened. */
  readonly records: readonly JsonObject[];
  readonly #file: RandomAccess;
  #length: number;

  /** Truncates the file after the last intact record, so that new records follow it. */
  constructor(file: RandomAccess) {
    const { records, length } = decodeRecords(file.read(0, file.size()));
    if (length < file.size()) file.truncate(length);
    this.#file = file;
    this.#length = length;
    this.records = records;
  }

  /** Appends a record. It survives a crash once this returns. */
  append(record: JsonObject): void {
    const bytes = encodeRecord(record);
    this.#file.write(bytes, this.#length);
    this.#length += bytes.length;
    this.#file.flush();
  }

  clear(): void {
    this.#file.truncate(0);
    this.#length = 0;
  }

  close(): void {
    this.#file.close();
  }
}

/** CRC-32 (IEEE 802.3), bit by bit: records are short. */
function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
