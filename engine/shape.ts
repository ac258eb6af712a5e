// Everything that fixes the sizes of a loaded model: its config, its cache, and how it is held on this adapter.
import { attentionSplits, MAX_POSITION, type Team, type WeightFormat } from "../kernels/index.ts";
import type { ModelConfig } from "../weights/index.ts";
import { ringSlots } from "./cache.ts";

/** No window: every earlier position is visible. */
const UNLIMITED = 0xffffffff;

export interface Shape extends Omit<ModelConfig, "W"> {
  readonly format: WeightFormat;
  /** How the matrix kernels share their work out: what suits this adapter. */
  readonly team: Team;
  /** Sequences. */
  readonly B: number;
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
    format,
    team,
    contextLength,
    chunkLength,
  }: Pick<Shape, "format" | "team" | "chunkLength"> & { contextLength: number },
): Shape {
  const { H, G, d } = config;
  const W = config.W ?? UNLIMITED;
  const rolling = config.W === null ? Infinity : ringSlots(config.W, chunkLength);
  const S = Math.min(rolling, contextLength);
  const positions = Math.min(contextLength, MAX_POSITION);
  return {
    ...config,
    format,
    team,
    B: 1,
    S,
    W,
    SPLITS: attentionSplits({ H, G, d, S, W }),
    chunkLength,
    positions,
  };
}
