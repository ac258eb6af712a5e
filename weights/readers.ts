// The readers of checkpoints, one for each kind.
import type { CheckpointReader } from "./checkpoint.ts";
import { safetensorsReader } from "./safetensors/reader.ts";

/**
 * Tried in this order. The last one fits every source: if there is no checkpoint, its error says what is
 * there.
 */
export const readers: readonly CheckpointReader[] = [safetensorsReader];
