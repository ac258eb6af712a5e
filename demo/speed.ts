// The speed of an answer.
import type { Finish } from "./engine.ts";

/** Tokens per second after the first token. */
export const speed = ({ completionTokens, decodeMs }: Finish): number | undefined =>
  completionTokens > 1 && decodeMs > 0 ? ((completionTokens - 1) / decodeMs) * 1000 : undefined;
