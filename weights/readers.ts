// The readers of checkpoints, one for each kind.
import type { CheckpointReader } from "./checkpoint.ts";
import { isGguf } from "./named-file.ts";
import { INDEX_FILE, SINGLE_FILE } from "./safetensors/names.ts";
import { safetensorsReader } from "./safetensors/reader.ts";

/** A lazy chunk. */
const ggufReader: CheckpointReader = {
  /** A GGUF file that was named, or that is there without safetensors. */
  async fits(source, signal) {
    if (source.file !== undefined) return isGguf(source.file);
    const has = async (name: string) => (await source.size(name, signal)) !== undefined;
    if ((await has("config.json")) && ((await has(INDEX_FILE)) || (await has(SINGLE_FILE)))) return false;
    const names = (await source.list?.(signal)) ?? [];
    return names.some(isGguf) && !names.some((name) => name.endsWith(".safetensors"));
  },
  open: async (source, signal) => (await import("./gguf/gguf-reader.ts")).openGguf(source, signal),
};

/**
 * Tried in this order. The last one fits every source: if there is no checkpoint, its error says what is
 * there.
 */
export const readers: readonly CheckpointReader[] = [ggufReader, safetensorsReader];
