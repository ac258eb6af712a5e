// The file format of a session: a conversation's keys and values, to continue it later without computing them
// again.
//
//     "sirocco session 1\n"   u32 length of the header   header, JSON   rows [L, 2G, positions]
//     SHA-256 of all before
//
// Numbers are little-endian. Rows are in the cache format, as in the ring.

import { MAX_TOGETHER } from "../../kernels/index.ts";
import { SessionError } from "../errors.ts";
import type { Span } from "../scheduler/ring-state.ts";

/** An adapter, and its scale in the conversation. */
export interface SavedAdapter {
  readonly name: string;
  readonly digest: string;
  readonly scale: number;
}

export interface Session {
  /** Identifies the model that computed it. */
  readonly fingerprint: string;
  readonly ids: readonly number[];
  /** Which passes wrote `ids` into the ring. */
  readonly spans: readonly Span[];
  /** The first position whose rows are saved. The last one is that of the last id. */
  readonly oldest: number;
  /** The LoRA adapters that it was computed with. Default: none. */
  readonly adapters?: readonly SavedAdapter[];
  readonly rows: Uint8Array<ArrayBuffer>;
}

const MAGIC = "sirocco session 1\n";
const DIGEST_BYTES = 32;

export async function encodeSession({ rows, ...header }: Session): Promise<Uint8Array<ArrayBuffer>> {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = MAGIC.length + 4 + json.length;
  const bytes = new Uint8Array(start + rows.length + DIGEST_BYTES);
  bytes.set(new TextEncoder().encode(MAGIC));
  new DataView(bytes.buffer).setUint32(MAGIC.length, json.length, true);
  bytes.set(json, MAGIC.length + 4);
  bytes.set(rows, start);
  bytes.set(await digest(bytes.subarray(0, -DIGEST_BYTES)), bytes.length - DIGEST_BYTES);
  return bytes;
}

/**
 * @param expected the loaded model's fingerprint, the size of its vocabulary, and the bytes of a number of
 * positions
 * @throws SessionError
 */
export async function decodeSession(
  bytes: Uint8Array<ArrayBuffer>,
  expected: {
    readonly fingerprint: string;
    readonly vocabulary: number;
    readonly bytesOf: (positions: number) => number;
  },
): Promise<Session> {
  const begins = new TextDecoder().decode(bytes.subarray(0, MAGIC.length));
  if (begins !== MAGIC || bytes.length < MAGIC.length + 4 + DIGEST_BYTES)
    throw refused(`a file that begins with "${MAGIC.trim()}", got ${bytes.length} bytes of something else`);
  const stated = bytes.subarray(-DIGEST_BYTES);
  const actual = await digest(bytes.subarray(0, -DIGEST_BYTES));
  if (!actual.every((byte, i) => byte === stated[i]))
    throw refused("bytes that agree with their checksum, got others: the file is damaged or cut short");

  const start = MAGIC.length + 4;
  const end = start + new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC.length, true);
  const header = parsed(bytes.subarray(start, Math.min(end, bytes.length - DIGEST_BYTES)));
  if (header.fingerprint !== expected.fingerprint)
    throw refused("a session of this model in these weight and cache formats, got one of another");
  const { ids, spans, oldest, adapters = [] } = header;
  const rows = bytes.subarray(end, -DIGEST_BYTES);
  const whole = (value: unknown, least: number, below: number): value is number =>
    Number.isInteger(value) && (value as number) >= least && (value as number) < below;
  const sound =
    Array.isArray(ids) &&
    ids.every((id) => whole(id, 0, expected.vocabulary)) &&
    whole(oldest, 0, ids.length) &&
    rows.length === expected.bytesOf(ids.length - oldest) &&
    Array.isArray(spans) &&
    spans.every(
      ({ start: at, by }, i) =>
        whole(at, i === 0 ? 0 : spans[i - 1].start + 1, i === 0 ? 1 : ids.length) &&
        (by === "prefill" || by === "retrace"),
    ) &&
    Array.isArray(adapters) &&
    adapters.length <= MAX_TOGETHER &&
    adapters.every(
      (each) =>
        typeof each?.name === "string" && typeof each.digest === "string" && Number.isFinite(each.scale),
    );
  if (!sound) throw refused("a header that fits its rows, got another");
  return { fingerprint: expected.fingerprint, ids, spans, oldest, rows, adapters };
}

// biome-ignore lint/suspicious/noExplicitAny: comes from a file; each part is checked before it is used
function parsed(json: Uint8Array<ArrayBuffer>): any {
  try {
    return Object(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json)));
  } catch {
    throw refused("a header in JSON, got something else");
  }
}

const refused = (what: string): SessionError =>
  new SessionError(`session: expected ${what}. Answer the conversation anew.`);

const digest = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
