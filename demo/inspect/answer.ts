// The newest answer as the chat page passes it to the panel, during and after generation.
import type { Finish } from "../../engine/index.ts";

export interface Answer {
  /** Tokens of the answer so far. */
  readonly ids: readonly number[];
  /** Tokens of the prompt as the model saw it, rendered with its chat template. */
  readonly promptIds: readonly number[];
  /** Set when the answer has ended. */
  readonly finish?: Finish;
  readonly tokensPerSecond?: number;
  /** The name of the LoRA adapter that answers. Default: none. */
  readonly adapter?: string;
  /** Tokens that went through the model: prompt and answer. */
  readonly position: number;
}
