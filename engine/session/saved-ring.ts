// Saves the ring of a conversation as bytes, and restores it. A lazy chunk: fetched with the first session.
import type { ModelConfig } from "../../weights/index.ts";
import type { GpuModel } from "../resident/gpu-model.ts";
import type { RingState } from "../scheduler/ring-state.ts";
import { fingerprint } from "./fingerprint.ts";
import { rangeBytes, readRing, writeRing } from "./ring-bytes.ts";
import { decodeSession, encodeSession } from "./session.ts";

/** Kept by config: a model on a new device keeps its formats, and so its fingerprint. */
const fingerprints = new WeakMap<ModelConfig, string>();

/** The part of the conversation that is in the ring. */
export async function saveRing(
  gpuModel: GpuModel,
  { index, ids, spans, oldest }: RingState,
  config: ModelConfig,
): Promise<Uint8Array<ArrayBuffer>> {
  const range = { ring: index, start: oldest, count: ids.length - oldest };
  const rows = await readRing(gpuModel.gpu, gpuModel.decoder, range);
  return encodeSession({ fingerprint: await fingerprintOf(gpuModel, config), ids, spans, oldest, rows });
}

/** Fills the ring from a session. @returns the conversation's ids @throws SessionError */
export async function restoreRing(
  gpuModel: GpuModel,
  ring: RingState,
  config: ModelConfig,
  session: Uint8Array<ArrayBuffer>,
): Promise<readonly number[]> {
  const { gpu, decoder } = gpuModel;
  const { ids, spans, oldest, rows } = await decodeSession(session, {
    fingerprint: await fingerprintOf(gpuModel, config),
    vocabulary: config.V,
    bytesOf: (positions) => rangeBytes(decoder.shape, positions),
  });
  // A ring with fewer slots gets the last positions.
  const start = Math.max(oldest, ids.length - ring.S);
  const range = { ring: ring.index, start, count: ids.length - start };
  ring.begin([], 0);
  writeRing(gpu, decoder, range, rows, start - oldest);
  ring.filled(ids, spans, start, decoder);
  await decoder.done();
  return ids;
}

async function fingerprintOf(gpuModel: GpuModel, config: ModelConfig): Promise<string> {
  const known = fingerprints.get(config) ?? (await fingerprint(gpuModel, config));
  fingerprints.set(config, known);
  return known;
}
