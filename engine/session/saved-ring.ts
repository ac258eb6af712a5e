// Saves the ring of a conversation as bytes, and restores it. A lazy chunk: fetched with the first session.
import type { ModelConfig } from "../../weights/index.ts";
import { SessionError } from "../errors.ts";
import { type LoadedAdapter, mixOf } from "../graph/adapter-use.ts";
import { shown } from "../options/parameter.ts";
import type { GpuModel } from "../resident/gpu-model.ts";
import type { RingState } from "../scheduler/ring-state.ts";
import { fingerprint } from "./fingerprint.ts";
import { rangeBytes, readRing, writeRing } from "./ring-bytes.ts";
import { decodeSession, encodeSession, type SavedAdapter } from "./session.ts";

/** Kept by config: a model on a new device keeps its formats, and so its fingerprint. */
const fingerprints = new WeakMap<ModelConfig, string>();

/** The part of the conversation that is in the ring. */
export async function saveRing(
  gpuModel: GpuModel,
  { index, ids, spans, oldest, mix = [] }: RingState,
  config: ModelConfig,
): Promise<Uint8Array<ArrayBuffer>> {
  const range = { ring: index, start: oldest, count: ids.length - oldest };
  const rows = await readRing(gpuModel.gpu, gpuModel.decoder, range);
  const adapters = mix.map(({ adapter: { name, digest }, scale }) => ({ name, digest, scale }));
  const print = await fingerprintOf(gpuModel, config);
  return encodeSession({ fingerprint: print, ids, spans, oldest, rows, adapters });
}

/** What a session is restored to. */
interface RestoringModel {
  readonly checkpoint: { readonly config: ModelConfig };
  readonly adapters: { readonly loaded: readonly LoadedAdapter[] };
}

/** Fills the ring from a session. @returns the conversation's ids @throws SessionError */
export async function restoreRing(
  gpuModel: GpuModel,
  ring: RingState,
  { checkpoint: { config }, adapters: { loaded } }: RestoringModel,
  session: Uint8Array<ArrayBuffer>,
): Promise<readonly number[]> {
  const { gpu, decoder } = gpuModel;
  const {
    ids,
    spans,
    oldest,
    rows,
    adapters = [],
  } = await decodeSession(session, {
    fingerprint: await fingerprintOf(gpuModel, config),
    vocabulary: config.V,
    bytesOf: (positions) => rangeBytes(decoder.shape, positions),
  });
  // A ring with fewer slots gets the last positions.
  const start = Math.max(oldest, ids.length - ring.S);
  const range = { ring: ring.index, start, count: ids.length - start };
  const uses = adapters.map((saved) => ({ adapter: loadedAs(saved, loaded), scale: saved.scale }));
  ring.begin([], 0);
  ring.use(mixOf(uses, loaded), decoder);
  writeRing(gpu, decoder, range, rows, start - oldest);
  ring.filled(ids, spans, start, decoder);
  await decoder.done();
  return ids;
}

/** The loaded adapter of these contents, if there are several the one of this name. @throws SessionError */
function loadedAs({ name, digest }: SavedAdapter, loaded: readonly LoadedAdapter[]): LoadedAdapter {
  const same = loaded.filter((each) => each.digest === digest);
  const found = same.find((each) => each.name === name) ?? same[0];
  if (found) return found;
  throw new SessionError(
    `session: expected the adapter that it was computed with, got none of its contents. It had the name ${shown(name)}: load it with addAdapter, or answer the conversation anew.`,
  );
}

async function fingerprintOf(gpuModel: GpuModel, config: ModelConfig): Promise<string> {
  const known = fingerprints.get(config) ?? (await fingerprint(gpuModel, config));
  fingerprints.set(config, known);
  return known;
}
