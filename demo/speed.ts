// How fast an answer came.
import type { Finish } from "./engine.ts";

/** Tokens a second from the first token to the last, between which one fewer was computed. */
export const speed = ({ completionTokens, decodeMs }: Finish): number | undefined =>
  completionTokens > 1 && decodeMs > 0 ? ((completionTokens - 1) / decodeMs) * 1000 : undefined;
