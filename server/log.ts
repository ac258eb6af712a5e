// One JSON line a request. No key is ever in it; prompts only where they are asked for.
import type { RequestLifecycle } from "./request-lifecycle.ts";

export interface LogLine {
  readonly time: string;
  readonly id: string;
  readonly method: string;
  /** The route's pattern, not the path that was asked for. */
  readonly route: string;
  readonly status: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly queueMs: number;
  /** Milliseconds from the request to the first token; null where there was none. */
  readonly ttftMs: number | null;
  readonly totalMs: number;
  /** The client went away before the end. */
  readonly gone: boolean;
  readonly error?: string;
  /** What was changed of a conversation so that the chat template takes it. */
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
