// Everything that fixes the sizes of a loaded model: its config, its cache, and how it is held on this adapter.
import { attentionSplits, type CacheFormat, MAX_POSITION } from "../../kernels/index.ts";
import type { ModelConfig } from "../../weights/index.ts";
import type { KernelChoice } from "../api.ts";

/** Most decoded tokens that may be on the GPU before the host has seen the first of them. */
export const STEPS_IN_FLIGHT = 4;

/** Slots of the ring: the window, a whole chunk written before it is attended, and steps that may be taken back. */
const ringSlots = (W: number, chunkLength: number): number => W + chunkLength - 1 + STEPS_IN_FLIGHT;

/** No window: every earlier position is visible. */
const UNLIMITED = 0xffffffff;

export interface Shape extends Omit<ModelConfig, "W"> {
  readonly cacheFormat: CacheFormat;
  readonly kernels: KernelChoice;
  /** Sequences that the cache holds: a ring each. */
  readonly B: number;
  /** Most rows of a decode step: sequences that run at once. */
  readonly parallel: number;
  /** Slots of a ring. */
  readonly S: number;
  /** Attention window; UNLIMITED for none. */
  readonly W: number;
  /** Parts of a decode step's attention over the cache. */
  readonly SPLITS: number;
  /** Most tokens of a prefill pass. */
  readonly chunkLength: number;
  /** Positions that a sequence may reach: the slots, or with a rolling window as far as RoPE's angles go. */
  readonly positions: number;
}

/** @param contextLength tokens that a sequence may have; a window's ring holds no more than it needs */
export function modelShape(
  config: ModelConfig,
  {
    cacheFormat,
    kernels,
    contextLength,
    chunkLength,
    parallel = 1,
    B = parallel,
  }: Pick<Shape, "cacheFormat" | "kernels" | "chunkLength"> &
    Partial<Pick<Shape, "parallel" | "B">> & { contextLength: number },
): Shape {
  const { H, G, d } = config;
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
    SPLITS: attentionSplits({ H, G, d, S, W }),
    chunkLength,
    positions,
  };
}
