import type { ToolCall, ToolCallDelta } from "../api.ts";

/** Adds the pieces of calls to the calls so far. */
export function addCalls(calls: ToolCall[], pieces: readonly ToolCallDelta[] = []): void {
  for (const { index, id, name, arguments: text } of pieces)
    calls[index] = { id, name, arguments: (calls[index]?.arguments ?? "") + text };
}
