// The kinds of checkpoints that there are readers for.
import type { CheckpointReader } from "./checkpoint.ts";
import { safetensorsReader } from "./safetensors/reader.ts";

/**
 * Asked in this order. The last one takes every source: if there is no checkpoint in it, its error says what
 * is there.
 */
export const readers: readonly CheckpointReader[] = [safetensorsReader];
