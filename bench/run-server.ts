// Runs the suite throughput on a server, and gathers its figures with where they come from.
import type { Budget } from "./measure.ts";
import { type OpenAIServer, openServer, type ServerOptions, type Told } from "./openai-server.ts";
import type { Result, ServerReport } from "./result.ts";
import { measureStreams, type StreamSetting } from "./streams.ts";

export interface ServerRunOptions {
  readonly server: ServerOptions;
  readonly setting: StreamSetting;
  readonly budget: Budget;
  /** Of this package. */
  readonly version: string;
  /** Aborted: what has been measured until then is what there is. */
  readonly signal: AbortSignal;
  readonly onProgress: (what: string) => void;
}

/** @throws where the server does not answer the first requests; later on, the report tells of it */
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
    ...{ results, notes: [...notes, ...notesOf(server.told)] },
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

function notesOf({ uncounted, refused, waited }: Told): string[] {
  const notes: string[] = [];
  if (uncounted > 0)
    notes.push(
      `throughput: the server gave no usage for ${uncounted} answers: pieces were counted in place of tokens`,
    );
  if (refused > 0)
    notes.push(
      `throughput: ${refused} requests were refused and asked again after ${waited.toFixed(1)} s in all: the times to the first token hold that`,
    );
  return notes;
}
