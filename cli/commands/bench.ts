// sirocco bench: how fast this machine runs a model, and how far that is from what it could do; and what moved since.
import { open, readFile, writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { compare, hasRegression, renderComparison } from "../../bench/compare.ts";
import { renderHtml } from "../../bench/html.ts";
import { parseReport, type SuiteName, suiteNames } from "../../bench/result.ts";
import { renderTable } from "../../bench/table.ts";
import { type Context, exitCode } from "../context.ts";
import { UsageError } from "../errors.ts";
import {
  addLoadingOptions,
  addOptions,
  addOutputOptions,
  type LoadingOptions,
  toLoadOptions,
} from "../options.ts";
import { packageVersion } from "../package.ts";
import { integer, nonEmpty, number } from "../parse.ts";

/** What runs where no suite is named: about two minutes with the embedded model on a software driver. */
const DEFAULT_SUITES: readonly SuiteName[] = ["decode", "prefill", "kernels", "attention", "window"];

interface Options extends Omit<LoadingOptions, "json"> {
  readonly runs: number;
  readonly seconds: number;
  readonly text?: string;
  readonly json?: string;
  readonly html?: string;
}

export function addBench(program: Command, context: Context, exit: (code: number) => void): void {
  const command = program
    .command("bench")
    .summary("how fast this machine runs a model; compares two runs")
    .description(
      "Measures a model on this machine: medians of repeated runs after a warm-up, beside what the adapter does at best. " +
        "Ctrl-C ends it and prints what was measured until then.",
    )
    // What follows `compare` is its own: its --json takes no file.
    .enablePositionalOptions()
    .argument("[suites...]", `what to measure (default: ${DEFAULT_SUITES.join(" ")})`)
    .addHelpText(
      "after",
      `
Suites:
  load        from the checkpoint, with pipelines compiled, from a quantised checkpoint; peak memory of the host
  decode      tokens/s at several contexts; bytes, dispatches and host time of a token; the limit by bandwidth
  prefill     tokens/s of prompts of 32, 512 and 4096 tokens
  kernels     every kernel at the model's shapes: time, GB/s, GFLOP/s, shares of what the adapter does at best
  attention   32 query heads on 32, 8 and 1 key/value heads at a context of 4096
  window      time and memory of a token by its position, with the model's window and with none
  quality     perplexity of a text under every weight and cache format, beside size and speed
  throughput  prompts/s of several prompts, one after the other

Examples:
  $ sirocco bench
  $ sirocco bench decode prefill --model mistralai/Mistral-7B-v0.1 --weights q4
  $ sirocco bench --json before.json --html before.html
  $ sirocco bench compare before.json after.json`,
    );
  addOptions(command, "Measuring", [
    new Option("--runs <count>", "most runs of a figure")
      .argParser(integer("--runs", { min: 1, words: "of at least 1" }))
      .default(5),
    new Option("--seconds <s>", "no further run of a figure begins after this time")
      .argParser(number("--seconds", { min: 0, words: "of at least 0" }))
      .default(1),
    new Option("--text <file>", "text for the suite quality (default: a short story)").argParser(
      nonEmpty("--text", "a file"),
    ),
  ]);
  addLoadingOptions(command);
  addOutputOptions(command, [
    new Option("--json <file>", "write the figures as JSON; - for stdout, in place of the table").argParser(
      nonEmpty("--json", "a file, or -"),
    ),
    new Option("--html <file>", "write one page with tables and plots").argParser(
      nonEmpty("--html", "a file"),
    ),
  ]);
  command.action(async (suites: readonly string[], options: Options) =>
    exit(await bench(context, suites, options)),
  );
  addCompare(command, context, exit);
}

async function bench(context: Context, names: readonly string[], options: Options): Promise<number> {
  const { io, output, interrupts } = context;
  const { runs, seconds, json, html } = options;
  const chosen = names.length > 0 ? suiteNames.filter((name) => names.includes(name)) : DEFAULT_SUITES;
  const unknown = names.find((name) => !suiteNames.some((known) => known === name));
  if (unknown !== undefined) {
    throw new UsageError(`bench: expected suites among ${suiteNames.join(", ")}, got "${unknown}"`);
  }
  const text = options.text === undefined ? undefined : await read("--text", options.text);
  // Minutes of measuring must not end at a folder that is not there.
  if (json !== undefined && json !== "-") await checkWritable("--json", json);
  if (html !== undefined) await checkWritable("--html", html);

  const [engine, runSuites] = [await io.engine(), await io.bench()];
  const progress = new Status(context, options.quiet ?? false);
  const report = await runSuites({
    engine,
    names: chosen,
    request: { model: options.model, load: toLoadOptions(options), budget: { runs, seconds }, text },
    version: packageVersion,
    signal: interrupts.signal,
    onProgress: (what) => progress.show(what),
  }).finally(() => progress.clear());

  const serialised = `${JSON.stringify(report, null, 1)}\n`;
  if (html !== undefined) await writeFile(html, renderHtml(report));
  if (json !== undefined && json !== "-") await writeFile(json, serialised);
  output.write(json === "-" ? serialised : renderTable(report));
  const written = [json === "-" ? undefined : json, html].filter((file) => file !== undefined);
  if (written.length > 0 && !options.quiet) output.note(`Written: ${written.join(", ")}`);
  if (report.interrupted) return exitCode.interrupted;
  return report.failed.length > 0 ? exitCode.error : exitCode.ok;
}

function addCompare(bench: Command, context: Context, exit: (code: number) => void): void {
  const command = bench
    .command("compare")
    .summary("what moved between two runs")
    .description(
      "Compares two files that --json wrote. A figure moved where its median changed by more than the threshold and the " +
        "runs before and after do not overlap. Exit code 1 where one got worse.",
    )
    .argument("<before>", "file of --json")
    .argument("<after>", "file of --json")
    .addHelpText(
      "after",
      `
Example:
  $ sirocco bench compare before.json after.json --threshold 10`,
    );
  addOptions(command, "Comparing", [
    new Option("--threshold <percent>", "smallest change that counts")
      .argParser(number("--threshold", { min: 0, words: "of at least 0" }))
      .default(5),
  ]);
  addOutputOptions(command, "print one object: changes, common, onlyBefore, onlyAfter, differences");
  command.action(async (before: string, after: string, { threshold, json = false }: CompareOptions) =>
    exit(await compareFiles(context, [before, after], threshold / 100, json)),
  );
}

interface CompareOptions {
  readonly threshold: number;
  readonly json?: boolean;
}

async function compareFiles(
  { output }: Context,
  files: readonly [before: string, after: string],
  threshold: number,
  json: boolean,
): Promise<number> {
  const [before, after] = await Promise.all(
    files.map(async (file) => parseReport(await read("bench compare", file), file)),
  );
  if (!before || !after) throw new UsageError("bench compare: expected two files");
  const comparison = compare(before, after, threshold);
  if (json) output.json(comparison);
  else output.write(renderComparison(comparison, threshold));
  return hasRegression(comparison) ? exitCode.error : exitCode.ok;
}

async function read(what: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new Error(`${what} ${file}: cannot be read`, { cause });
  }
}

async function checkWritable(option: string, file: string): Promise<void> {
  try {
    await (await open(file, "a")).close();
  } catch (cause) {
    throw new Error(`${option} ${file}: cannot be written`, { cause });
  }
}

/** One line on a terminal that says what is being measured. */
class Status {
  readonly #context: Context;
  readonly #shown: boolean;

  constructor(context: Context, quiet: boolean) {
    this.#context = context;
    this.#shown = !quiet && context.output.stderrIsTerminal;
  }

  show(what: string): void {
    if (!this.#shown) return;
    const width = (this.#context.io.stderr.columns ?? 80) - 1;
    this.#context.output.writeError(`\r\u001b[K${`Measuring ${what}`.slice(0, width)}`);
  }

  clear(): void {
    if (this.#shown) this.#context.output.writeError("\r\u001b[K");
  }
}
