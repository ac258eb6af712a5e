// The log: one JSON line per request. It never contains keys, and prompts only if that is switched on.
import type { RequestLifecycle } from "./request-lifecycle.ts";

export interface LogLine {
  readonly time: string;
  readonly id: string;
  readonly method: string;
  /** The pattern of the route, not the requested path. */
  readonly route: string;
  readonly status: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly queueMs: number;
  /** Milliseconds from the request to the first token; null without a token. */
  readonly ttftMs: number | null;
  readonly totalMs: number;
  /** The client disconnected before the end. */
  readonly gone: boolean;
  readonly error?: string;
  /** Changes made to the conversation so that the chat template accepts it. */
  readonly warnings?: readonly string[];
  readonly prompt?: unknown;
}

export function logLine(lifecycle: RequestLifecycle, route: string, status: number): LogLine {
  const { id, method, promptTokens, cachedTokens, completionTokens, queueMs, ttftMs, gone } = lifecycle;
  return {
    time: new Date().toISOString(),
    ...{ id, method, route, status, promptTokens, cachedTokens, completionTokens },
    queueMs: Math.round(queueMs),
    ttftMs: ttftMs === undefined ? null : Math.round(ttftMs),
    totalMs: Math.round(performance.now() - lifecycle.began),
    gone,
    ...(lifecycle.error !== undefined && { error: lifecycle.error }),
    ...(lifecycle.warnings !== undefined && { warnings: lifecycle.warnings }),
    ...(lifecycle.prompt !== undefined && { prompt: lifecycle.prompt }),
  };
}
