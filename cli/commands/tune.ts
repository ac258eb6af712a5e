// sirocco tune: measures which kernels are fastest on this adapter.
import type { Command } from "commander";
import { type Context, exitCode } from "../context.ts";
import type { Tuning, TuningMeasurement } from "../engine.ts";
import { threeDigits } from "../format.ts";
import {
  addLoadingOptions,
  addOptions,
  addOutputOptions,
  type LoadingOptions,
  type ParallelOptions,
  parallelOption,
  SERVED_AT_ONCE,
  toLoadOptions,
} from "../options.ts";
import { withProgress } from "../progress.ts";

export function addTune(program: Command, context: Context, exit: (code: number) => void): void {
  const command = program
    .command("tune")
    .summary("measure which kernels are fastest here")
    .description(
      "Measures every variant of the matrix and attention kernels on this adapter, at the model's shapes and with the " +
        "rows of its decode steps. Drops variants with wrong results, prints a table, and remembers the fastest for the " +
        "next loads with the same options: those of one answer at a time, and those of `sirocco serve`. Reads no weights. " +
        "Without --no-tune, large models are tuned at their first load anyway.",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ sirocco tune --model mistralai/Mistral-7B-Instruct-v0.2 --weights q4
  $ sirocco tune --parallel 32 --json`,
    );
  addLoadingOptions(command);
  addOptions(command, "Server", [
    parallelOption(
      `measure for this many answers at once (default: for 1, and for the ${SERVED_AT_ONCE} of serve)`,
    ),
  ]);
  addOutputOptions(
    command,
    "print an object a line: parallel, adapter, weights, choice, measurements (rows, microseconds a launch, null if rejected)",
  );
  command.action(async (options: Options) => exit(await tune(context, options)));
}

type Options = LoadingOptions & ParallelOptions;

async function tune(context: Context, options: Options): Promise<number> {
  const { io, output, interrupts } = context;
  const { tuneModel } = await io.engine();
  const { signal } = interrupts;
  const counts = options.parallel === undefined ? [1, SERVED_AT_ONCE] : [options.parallel];
  for (const parallel of counts) {
    const tuning = await withProgress(context, options, (onProgress) =>
      tuneModel(options.model, { ...toLoadOptions({ ...options, parallel }), onProgress, signal }),
    );
    if (options.json) output.json({ parallel, ...tuning });
    else output.write(`${parallel === counts[0] ? "" : "\n"}${tuningTable(tuning, parallel)}`);
  }
  return exitCode.ok;
}

/**
 * A heading for each matrix with the numbers of rows, and its variants: the fastest with one row first,
 * rejected ones last. The chosen one has a star.
 */
function tuningTable({ adapter, weights, choice, measurements }: Tuning, parallel: number): string {
  const lines = [
    `${weights} on ${adapter.name}, ${parallel} at once; microseconds a launch by rows, * is used\n`,
  ];
  const groups = new Map<string, TuningMeasurement[]>();
  for (const each of measurements) {
    const name = `${each.pass} ${each.role}`;
    groups.set(name, [...(groups.get(name) ?? []), each]);
  }
  for (const [name, group] of groups) {
    const { pass, role } = group[0] as TuningMeasurement;
    const matrices = pass === "decode" ? choice.matvec : choice.matmul;
    const chosen = role === "attention" ? choice.attention[pass] : matrices[role];
    const rowCounts = [...new Set(group.map(({ rows }) => rows))].sort((a, b) => a - b);
    const columns = (texts: readonly string[]) => texts.map((text) => text.padStart(9)).join("");
    lines.push(`\n${name.padEnd(20)}${columns(rowCounts.map(String))}\n`);
    const best = group.filter(({ rows }) => rows === rowCounts[0]);
    for (const { variant, rejected } of best.sort((a, b) => a.microseconds - b.microseconds)) {
      const mark = variant === chosen ? "*" : " ";
      const times = rowCounts.map((rows) => {
        const each = group.find((other) => other.variant === variant && other.rows === rows);
        return each && rejected === undefined ? threeDigits(each.microseconds) : "-";
      });
      lines.push(`  ${mark} ${variant.padEnd(16)}${columns(times)}${rejected ? `  out: ${rejected}` : ""}\n`);
    }
  }
  if (groups.size === 0) lines.push("nothing was measured\n");
  return lines.join("");
}
