// What a command uses from outside: the process in main.ts, fakes in tests.
import type { Readable, Writable } from "node:stream";
import type { runSuites } from "../bench/run.ts";
import type * as Server from "../server/index.ts";
import type { Engine } from "./engine.ts";

export type Input = Readable & {
  readonly isTTY?: boolean;
  /** Of a terminal: whether each key comes at once. */
  readonly setRawMode?: (on: boolean) => unknown;
};
export type Sink = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export interface Io {
  /** Imports the engine on first use: help and usage errors need neither Dawn nor a driver. */
  readonly engine: () => Promise<Engine>;
  /** Imports the benchmark on first use: it imports the engine. */
  readonly bench: () => Promise<typeof runSuites>;
  /** Imports the server on first use. */
  readonly server: () => Promise<typeof Server>;
  readonly stdin: Input;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Calls `listener` at each Ctrl-C, SIGTERM and SIGHUP, until the returned function is called. */
  readonly onInterrupt: (listener: () => void) => () => void;
}
