// Runs the suite `throughput` on a server.
import type { Budget } from "./measure.ts";
import { type Incidents, type OpenAIServer, openServer, type ServerOptions } from "./openai-server.ts";
import type { Result, ServerReport } from "./result.ts";
import { measureStreams, type StreamSetting } from "./streams.ts";

export interface ServerRunOptions {
  readonly server: ServerOptions;
  readonly setting: StreamSetting;
  readonly budget: Budget;
  /** Version of this package. */
  readonly version: string;
  /** An abort ends the run; the report has what was measured so far. */
  readonly signal: AbortSignal;
  readonly onProgress: (what: string) => void;
}

/** @throws if the first requests fail; a later failure ends up in the report */
export async function runServer(options: ServerRunOptions): Promise<ServerReport> {
  const { setting, budget, signal, onProgress } = options;
  const date = new Date().toISOString();
  onProgress(`${options.server.url}: its models`);
  const server = await openServer(options.server, signal);
  const results: Result[] = [];
  const notes: string[] = [];
  let failed = false;
  try {
    await measureStreams({
      ...{ ask: server.ask, setting, budget, signal },
      doing: (what) => onProgress(`throughput: ${what}`),
      add: (name, unit, figure, params) =>
        results.push({ suite: "throughput", name, unit, ...figure, params }),
      note: (text) => notes.push(text),
    });
  } catch (error) {
    if (!signal.aborted && results.length === 0) throw error;
    failed = !signal.aborted;
    if (failed) notes.push(`throughput: ${(error as Error).message}`);
  }
  return {
    ...header(server, options, date),
    ...{ results, notes: [...notes, ...notesOf(server.incidents)] },
    interrupted: signal.aborted,
    failed: failed ? ["throughput"] : [],
  };
}

const header = (
  { url, model, endpoint }: OpenAIServer,
  { version, budget }: ServerRunOptions,
  date: string,
) => ({
  schema: 1 as const,
  ...{ date, version },
  node: process.versions.node,
  platform: `${process.platform} ${process.arch}`,
  server: { url, model, endpoint },
  options: { ...budget },
});

function notesOf({ uncounted, refused, waited }: Incidents): string[] {
  const notes: string[] = [];
  if (uncounted > 0)
    notes.push(
      `throughput: the server gave no usage for ${uncounted} answers: their pieces were counted as tokens`,
    );
  if (refused > 0)
    notes.push(
      `throughput: ${refused} requests were refused and repeated, after ${waited.toFixed(1)} s in total, which the times to the first token include`,
    );
  return notes;
}
