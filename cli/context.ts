// What every command gets, and the exit codes.
import type { Interrupts } from "./interrupts.ts";
import type { Io } from "./io.ts";
import type { Output } from "./output.ts";

/** The parts of a run that every command uses. */
export interface Context {
  readonly io: Io;
  readonly output: Output;
  readonly interrupts: Interrupts;
}

export const exitCode = { ok: 0, error: 1, usage: 2, interrupted: 130 } as const;
