// One run of the command: arguments in, exit code out.
import { CommanderError } from "commander";
import { within } from "../server/within.ts";
import { type Context, exitCode } from "./context.ts";
import { isAbort, renderError, UsageError } from "./errors.ts";
import { Interrupts } from "./interrupts.ts";
import type { Io } from "./io.ts";
import { withModelNames } from "./model-names.ts";
import { Output } from "./output.ts";
import { createProgram } from "./program.ts";

/** @param argv the arguments after the program's name */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const output = new Output(io);
  const interrupts = new Interrupts();
  const engine = async () => withModelNames(await io.engine(), output);
  const context: Context = { io: { ...io, engine }, output, interrupts };
  const detach = io.onInterrupt(() => interrupts.press());
  const work = execute(argv, context);
  try {
    const code = await Promise.race([
      work,
      interrupts.quit.then(() => exitCode.interrupted),
      // The reader is gone (`| head`): that is no failure.
      output.ended.then(() => exitCode.ok),
    ]);
    await output.flush();
    return code;
  } catch (error) {
    return fail(argv, error, context);
  } finally {
    interrupts.stop();
    const limit = interrupts.quitting ? QUIT_MS : LEAVE_MS;
    await within(
      limit,
      work.catch(() => {}),
    );
    detach();
  }
}

// How long stopped work may take to end: a software driver crashes if the process exits in the middle.
const LEAVE_MS = 5000;
const QUIT_MS = 1000;

async function execute(argv: readonly string[], context: Context): Promise<number> {
  let code: number = exitCode.ok;
  const program = createProgram(context, (result) => {
    code = result;
  });
  await program.parseAsync(argv, { from: "user" });
  return code;
}

/** Prints an error. @returns its exit code */
function fail(argv: readonly string[], error: unknown, { io, output, interrupts }: Context): number {
  if (interrupts.signal.aborted && isAbort(error)) return exitCode.interrupted;
  const problem = error instanceof CommanderError ? fromCommander(error) : error;
  if (problem === undefined) return exitCode.ok;
  // Parsing may have failed, so these two options are looked up by hand.
  const json = argv.includes("--json");
  const debug = argv.includes("--debug") || Boolean(io.env["SIROCCO_DEBUG"]);
  // Commander has printed the help.
  if (!(problem instanceof UsageError && problem.code === "help"))
    output.writeError(renderError(problem, { json, debug }));
  return problem instanceof UsageError ? exitCode.usage : exitCode.error;
}

/** Help and version are no errors; anything else is wrong usage. Drops commander's prefix. */
function fromCommander(error: CommanderError): UsageError | undefined {
  if (error.exitCode === 0) return undefined;
  if (error.code === "commander.help") return new UsageError("", { code: "help" });
  return new UsageError(error.message.replace(/^error: /, ""));
}
