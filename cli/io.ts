// Everything a command may touch outside itself: the process in main.ts, fakes in the tests.
import type { Readable, Writable } from "node:stream";
import type { runSuites } from "../bench/run.ts";
import type * as Server from "../server/index.ts";
import type { Engine } from "./engine.ts";

export type Input = Readable & { readonly isTTY?: boolean };
export type Sink = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export interface Io {
  /** Opens the engine on first use: help and usage errors need neither Dawn nor a driver. */
  readonly engine: () => Promise<Engine>;
  /** What measures: it reaches into the engine, so it is opened on first use as well. */
  readonly bench: () => Promise<typeof runSuites>;
  /** What answers over HTTP, opened on first use. */
  readonly server: () => Promise<typeof Server>;
  readonly stdin: Input;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Calls back at each Ctrl-C, SIGTERM and SIGHUP, until the returned function is called. */
  readonly onInterrupt: (listener: () => void) => () => void;
}
