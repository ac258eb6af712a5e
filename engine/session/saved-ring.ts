// A conversation's ring saved as bytes, and put back. Fetched when a session is first saved or restored.
import type { ModelConfig } from "../../weights/index.ts";
import type { Resident } from "../resident/gpu-model.ts";
import type { Cache } from "../scheduler/ring-state.ts";
import { fingerprint } from "./fingerprint.ts";
import { readRing, stretchBytes, writeRing } from "./ring-bytes.ts";
import { decodeSession, encodeSession } from "./session.ts";

/** A model on another device keeps its formats, so its fingerprint does not change. */
const fingerprints = new WeakMap<ModelConfig, string>();

/** What the ring holds of its conversation. */
export async function saveRing(
  resident: Resident,
  { sequence, ids, spans, oldest }: Cache,
  config: ModelConfig,
): Promise<Uint8Array<ArrayBuffer>> {
  const stretch = { sequence, start: oldest, count: ids.length - oldest };
  const rows = await readRing(resident.gpu, resident.decoder, stretch);
  return encodeSession({ fingerprint: await fingerprintOf(resident, config), ids, spans, oldest, rows });
}

/** Fills the ring from a session. @returns the conversation's ids @throws SessionError */
export async function restoreRing(
  resident: Resident,
  cache: Cache,
  config: ModelConfig,
  session: Uint8Array<ArrayBuffer>,
): Promise<readonly number[]> {
  const { gpu, decoder } = resident;
  const { ids, spans, oldest, rows } = await decodeSession(session, {
    fingerprint: await fingerprintOf(resident, config),
    vocabulary: config.V,
    bytesOf: (positions) => stretchBytes(decoder.shape, positions),
  });
  // A ring of fewer slots keeps the end.
  const start = Math.max(oldest, ids.length - cache.S);
  const stretch = { sequence: cache.sequence, start, count: ids.length - start };
  cache.begin([], 0);
  writeRing(gpu, decoder, stretch, rows, start - oldest);
  cache.filled(ids, spans, start, decoder);
  await decoder.done();
  return ids;
}

async function fingerprintOf(resident: Resident, config: ModelConfig): Promise<string> {
  const known = fingerprints.get(config) ?? (await fingerprint(resident, config));
  fingerprints.set(config, known);
  return known;
}
