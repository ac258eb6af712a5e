// The log: a line per request. It never contains keys, and prompts only if that is switched on.
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

const PROBES = ["/health", "/ready", "/metrics"];

/** Whether a line tells nothing: a load balancer or Prometheus looked, and all was well. */
export const isProbe = ({ route, status }: LogLine): boolean => PROBES.includes(route) && status < 300;

/** A line for people: "14:03:22 POST /v1/chat/completions 200 12 + 40 tokens, first after 0.12 s, 1.3 s". */
export function shortLine(line: LogLine): string {
  const { time, method, route, status, promptTokens, cachedTokens, completionTokens, ttftMs, totalMs } = line;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 0)} s`;
  const cached = cachedTokens > 0 ? ` (${cachedTokens} cached)` : "";
  const parts = [
    ...(promptTokens > 0 ? [`${promptTokens}${cached} + ${completionTokens} tokens`] : []),
    ...(ttftMs === null ? [] : [`first after ${seconds(ttftMs)}`]),
    seconds(totalMs),
    ...(line.gone ? ["the client left"] : []),
    ...(line.error === undefined ? [] : [line.error]),
    ...(line.warnings ?? []),
    ...(line.prompt === undefined ? [] : [JSON.stringify(line.prompt)]),
  ];
  const clock = new Date(time).toTimeString().slice(0, 8);
  return `${clock} ${method} ${route} ${status} ${parts.join(", ")}`;
}
