// The sizes of a loaded model: those of its config, its cache, and how it runs on this adapter.
import { attentionSplits, type CacheFormat, MAX_POSITION } from "../../kernels/index.ts";
import type { ModelConfig } from "../../weights/index.ts";
import type { KernelChoice } from "../api.ts";

/** Decode steps that may be on the GPU before the host has read the first of them. */
export const STEPS_IN_FLIGHT = 4;

/**
 * Slots of a ring: the window, a chunk that is written before it is attended, and steps that may be undone.
 */
const ringSlots = (W: number, chunkLength: number): number => W + chunkLength - 1 + STEPS_IN_FLIGHT;

/** W without a window: every earlier position is visible. */
const UNLIMITED = 0xffffffff;

export interface Shape extends Omit<ModelConfig, "W"> {
  readonly cacheFormat: CacheFormat;
  readonly kernels: KernelChoice;
  /** Sequences that the cache holds, each in a ring of its own. */
  readonly B: number;
  /** Sequences that run at once: the most rows of a decode step. */
  readonly parallel: number;
  /** Slots of a ring. */
  readonly S: number;
  /** Attention window; UNLIMITED for none. */
  readonly W: number;
  /** The most parts that attention over the cache is split into, in a decode step. */
  readonly SPLITS: number;
  /** The most tokens of a prefill pass. */
  readonly chunkLength: number;
  /** The widest input that is gathered, for matrices whose columns are in another order; 0: none. */
  readonly gatheredWidth: number;
  /** Whether a layer has gate_proj and up_proj whose columns differ in order: they are multiplied apart. */
  readonly gateThenUp: boolean;
  /** Positions that a sequence may reach: the context, bounded by the range of RoPE's angles. */
  readonly positions: number;
}

/**
 * @param contextLength the most tokens of a sequence; with a window, the ring has only the slots that it
 * needs
 */
export function modelShape(
  config: ModelConfig,
  {
    cacheFormat,
    kernels,
    contextLength,
    chunkLength,
    parallel = 1,
    B = parallel,
    gatheredWidth = 0,
    gateThenUp = false,
  }: Pick<Shape, "cacheFormat" | "kernels" | "chunkLength"> &
    Partial<Pick<Shape, "parallel" | "B" | "gatheredWidth" | "gateThenUp">> & { contextLength: number },
): Shape {
  const W = config.W ?? UNLIMITED;
  const rolling = config.W === null ? Infinity : ringSlots(config.W, chunkLength);
  const S = Math.min(rolling, contextLength);
  const positions = Math.min(contextLength, MAX_POSITION);
  return {
    ...config,
    cacheFormat,
    kernels,
    B,
    parallel,
    S,
    W,
    SPLITS: attentionSplits({ G: config.G, S, W }),
    chunkLength,
    gatheredWidth,
    gateThenUp,
    positions,
  };
}
