// Downloads a checkpoint of the Hub whole, to the cache on disk (Node only).
import { openCheckpoint } from "../open-checkpoint.ts";
import { hubSource } from "./hub.ts";
import { HubFiles, type HubSourceOptions } from "./hub-files.ts";

export interface Pulled {
  /** owner/name@revision, with the GGUF file. */
  readonly name: string;
  /** The weights. */
  readonly files: readonly { readonly file: string; readonly bytes: number }[];
  readonly bytes: number;
}

/**
 * Downloads what `loadModel` would read, and nothing else: the weights of the checkpoint that it chooses,
 * and its vocabulary. What is on disk stays; what was interrupted goes on.
 *
 * @param text as for `hubSource`
 * @throws CheckpointError, NetworkError as `hubSource` and `openCheckpoint`
 */
export async function pullFromHub(text: string, options: HubSourceOptions = {}): Promise<Pulled> {
  const { signal } = options;
  const source = await hubSource(text, options);
  const { tensors, vocabulary } = await openCheckpoint(source, signal);
  const names = [...new Set([...tensors.values()].map(({ file }) => file))];
  await vocabulary(signal);
  // Another source is the cache itself, with everything in it.
  if (source instanceof HubFiles) for (const name of names) await source.fetch(name, signal);
  const files: { file: string; bytes: number }[] = [];
  for (const file of names) files.push({ file, bytes: (await source.size(file, signal)) ?? 0 });
  return { name: source.name, files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}
