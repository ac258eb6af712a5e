// One run of the command: arguments in, exit code out. main.ts gives it the process, the tests give it fakes.
import { CommanderError } from "commander";
import { type Context, exitCode } from "./context.ts";
import { isAbort, renderError, UsageError } from "./errors.ts";
import { Interrupts } from "./interrupts.ts";
import type { Io } from "./io.ts";
import { Output } from "./output.ts";
import { createProgram } from "./program.ts";

/** @param argv the arguments after the program's name. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const context: Context = { io, output: new Output(io), interrupts: new Interrupts() };
  const { output, interrupts } = context;
  const detach = io.onInterrupt(() => interrupts.press());
  const work = execute(argv, context);
  try {
    const code = await Promise.race([
      work,
      interrupts.quit.then(() => exitCode.interrupted),
      // Nobody reads on (`| head`): that is no failure.
      output.ended.then(() => exitCode.ok),
    ]);
    await output.flush();
    return code;
  } catch (error) {
    return fail(argv, error, context);
  } finally {
    interrupts.stop();
    await settled(work, interrupts.quitting ? QUIT_MS : LEAVE_MS);
    detach();
  }
}

// How long work that was told to stop may take: a software driver crashes where the process leaves it in the middle.
const LEAVE_MS = 5000;
const QUIT_MS = 1000;

/** Waits for `work` to end, well or not, but no longer than `limit`. */
async function settled(work: Promise<unknown>, limit: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limit);
  });
  await Promise.race([work.catch(() => {}), late]);
  clearTimeout(timer);
}

async function execute(argv: readonly string[], context: Context): Promise<number> {
  let code: number = exitCode.ok;
  const program = createProgram(context, (result) => {
    code = result;
  });
  await program.parseAsync(argv, { from: "user" });
  return code;
}

/** Says what went wrong, and gives the exit code for it. */
function fail(argv: readonly string[], error: unknown, { io, output, interrupts }: Context): number {
  if (interrupts.signal.aborted && isAbort(error)) return exitCode.interrupted;
  const problem = error instanceof CommanderError ? fromCommander(error) : error;
  if (problem === undefined) return exitCode.ok;
  // Options may be what could not be parsed, so these two are looked for by hand.
  const json = argv.includes("--json");
  const debug = argv.includes("--debug") || Boolean(io.env["SIROCCO_DEBUG"]);
  // Help on stderr has said it all.
  if (!(problem instanceof UsageError && problem.message === ""))
    output.writeError(renderError(problem, { json, debug }));
  return problem instanceof UsageError ? exitCode.usage : exitCode.error;
}

/** Help and version are no errors; the rest is a wrong call, without commander's own prefix. */
function fromCommander(error: CommanderError): UsageError | undefined {
  if (error.exitCode === 0) return undefined;
  return new UsageError(error.code === "commander.help" ? "" : error.message.replace(/^error: /, ""));
}
