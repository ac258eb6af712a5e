// sirocco bench: speed of a model on this machine, relative to the machine's limits; comparison of two runs.
import { open, writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { compare, hasRegression, renderComparison } from "../../bench/compare.ts";
import { renderHtml } from "../../bench/html.ts";
import { parseReport, type Report, type SuiteName, suiteNames } from "../../bench/result.ts";
import { runServer } from "../../bench/run-server.ts";
import { renderTable } from "../../bench/table.ts";
import { type Context, exitCode } from "../context.ts";
import { notingDownloads } from "../download-note.ts";
import { UsageError } from "../errors.ts";
import { readTextFile } from "../input.ts";
import { apiKey } from "../network.ts";
import {
  addLoadingOptions,
  addOptions,
  addOutputOptions,
  type LoadingOptions,
  toLoadOptions,
} from "../options.ts";
import { packageVersion } from "../package.ts";
import { address, counts, integer, nonEmpty, number } from "../parse.ts";

/** About two minutes with the embedded model on a software driver. */
const DEFAULT_SUITES: readonly SuiteName[] = ["decode", "prefill", "kernels", "attention", "window"];

/** Options about the model in this process: they exclude --url. */
const LOADING = ["weights", "cache", "context", "adapter", "threads", "tune", "unsafeFast", "text"];

interface Options extends Omit<LoadingOptions, "json"> {
  readonly runs: number;
  readonly seconds: number;
  readonly text?: string;
  readonly streams: readonly number[];
  readonly requests?: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly url?: string;
  readonly apiKey?: string;
  readonly chat?: boolean;
  readonly json?: string;
  readonly html?: string;
}

export function addBench(program: Command, context: Context, exit: (code: number) => void): void {
  const command = program
    .command("bench")
    .summary("measure the speed of a model; compare two runs")
    .description(
      "Measures a model on this machine: medians of repeated runs after a warm-up, and the GPU's limits for comparison. " +
        "Ctrl-C stops it and prints what was measured so far.",
    )
    // Options after `compare` belong to `compare`: its --json takes no file.
    .enablePositionalOptions()
    .argument("[suites...]", `what to measure (default: ${DEFAULT_SUITES.join(" ")})`)
    .addHelpText(
      "after",
      `
Suites:
  load        loading from a checkpoint, again with compiled pipelines, from a quantised checkpoint; peak host memory
  decode      tokens/s at several contexts; bytes, dispatches and host time of a token; the limit by bandwidth
  prefill     tokens/s of prompts of 32, 512 and 4096 tokens
  kernels     every kernel at the model's shapes: time, GB/s, GFLOP/s, shares of the GPU's limits
  attention   32 query heads with 32, 8 and 1 key/value heads, at a context of 4096
  window      time and memory of a token by position, with the model's window and without
  quality     perplexity, divergence, size and speed of every weight and cache format
  claim       Mistral 7B beside Llama 2 7B at the same memory: bytes, limits, how many answers fit; attention measured
  throughput  1, 2, 4, 8 answers at once: requests/s, tokens/s, time to first token, between tokens, batch gain;
              with --url, of any server with OpenAI's API
  constrained answers held to a JSON Schema, alone and beside others: tokens/s, and the host's time for a mask

Examples:
  $ sirocco bench
  $ sirocco bench decode prefill --model mistralai/Mistral-7B-v0.1 --weights q4
  $ sirocco bench throughput --url http://127.0.0.1:8000 --streams 1,8,32
  $ sirocco bench --json before.json --html before.html
  $ sirocco bench compare before.json after.json`,
    );
  addOptions(command, "Measuring", [
    new Option("--runs <count>", "maximum runs of a figure")
      .argParser(integer("--runs", { min: 1, words: "of at least 1" }))
      .default(5),
    new Option("--seconds <s>", "begin no further run of a figure after this time")
      .argParser(number("--seconds", { min: 0, words: "of at least 0" }))
      .default(1),
    new Option(
      "--text <file>",
      "text for the suite `quality` (default: a short story, and what is installed of Debian's bible-kjv, dict-gcide, fortunes-min, jargon-text and miscfiles)",
    ).argParser(nonEmpty("--text", "a file")),
  ]);
  addThroughputOptions(command);
  addLoadingOptions(command);
  addOutputOptions(command, [
    new Option(
      "--json <file>",
      "write the figures as JSON; `-` writes to stdout, instead of the table",
    ).argParser(nonEmpty("--json", "a file, or -")),
    new Option("--html <file>", "write a page with tables and plots").argParser(nonEmpty("--html", "a file")),
  ]);
  command.action(async (suites: readonly string[], options: Options) =>
    exit(await bench(context, command, suites, options)),
  );
  addCompare(command, context, exit);
}

const addThroughputOptions = (command: Command): Command =>
  addOptions(command, "Throughput", [
    new Option("--streams <counts>", "numbers of answers at once, separated by commas")
      .argParser(counts("--streams"))
      .default([1, 2, 4, 8], "1,2,4,8"),
    new Option(
      "--requests <count>",
      "requests at each number of streams (default: 4 for each stream, at least 8)",
    ).argParser(integer("--requests", { min: 1, words: "of at least 1" })),
    new Option("--prompt-tokens <count>", "mean length of a prompt; lengths range from 0.5 to 1.5 times this")
      .argParser(integer("--prompt-tokens", { min: 1, words: "of at least 1" }))
      .default(64),
    new Option("--answer-tokens <count>", "maximum tokens of an answer")
      .argParser(integer("--answer-tokens", { min: 1, words: "of at least 1" }))
      .default(32),
    new Option(
      "--url <address>",
      "measure this server; --model is then its name for the model (default: the first it lists)",
    ).argParser(address("--url")),
    new Option(
      "--api-key <key>",
      "key for the server (default: SIROCCO_API_KEY, which other users of this machine cannot see)",
    ).argParser(apiKey("--api-key")),
    new Option("--chat", "call /v1/chat/completions instead of /v1/completions"),
  ]);

async function bench(
  context: Context,
  command: Command,
  names: readonly string[],
  options: Options,
): Promise<number> {
  const { output } = context;
  const { json, html } = options;
  const unknown = names.find((name) => !suiteNames.some((known) => known === name));
  if (unknown !== undefined) {
    throw new UsageError(`bench: expected suites among ${suiteNames.join(", ")}, got "${unknown}"`);
  }
  checkTarget(command, names, options);
  const text = options.text === undefined ? undefined : await readTextFile(options.text, "--text");
  // Fails now, not after minutes of measuring.
  if (json !== undefined && json !== "-") await checkWritable("--json", json);
  if (html !== undefined) await checkWritable("--html", html);

  const progress = new Status(context, options.quiet ?? false);
  const report = await measure(context, names, options, text, (what) => progress.show(what)).finally(() =>
    progress.clear(),
  );

  const serialised = `${JSON.stringify(report, null, 1)}\n`;
  if (html !== undefined) await writeFile(html, renderHtml(report));
  if (json !== undefined && json !== "-") await writeFile(json, serialised);
  output.write(json === "-" ? serialised : renderTable(report));
  const written = [json === "-" ? undefined : json, html].filter((file) => file !== undefined);
  if (written.length > 0 && !options.quiet) output.note(`Written: ${written.join(", ")}`);
  if (report.interrupted) return exitCode.interrupted;
  return report.failed.length > 0 ? exitCode.error : exitCode.ok;
}

/** @throws UsageError for an option that would have no effect */
function checkTarget(command: Command, names: readonly string[], { url }: Options): void {
  const given = (name: string) => command.getOptionValueSource(name) === "cli";
  const flag = (name: string) =>
    command.options.find((option) => option.attributeName() === name)?.long ?? name;
  if (url === undefined) {
    const idle = ["apiKey", "chat"].find(given);
    if (idle) throw new UsageError(`${flag(idle)}: expected --url with it, got none`);
    return;
  }
  const other = names.find((name) => name !== "throughput");
  if (other !== undefined) throw new UsageError(`--url: expected the suite throughput alone, got "${other}"`);
  const idle = LOADING.find(given);
  if (idle)
    throw new UsageError(`${flag(idle)}: expected none with --url, whose server has loaded its model`);
}

/** Runs suites on a model in this process, or `throughput` on a server. */
async function measure(
  context: Context,
  names: readonly string[],
  options: Options,
  text: string | undefined,
  onProgress: (what: string) => void,
): Promise<Report> {
  const { io, interrupts } = context;
  const { runs, seconds, streams, requests, promptTokens, answerTokens, url, model, chat = false } = options;
  const budget = { runs, seconds };
  const setting = { streams, requests, promptTokens, answerTokens };
  const shared = { version: packageVersion, signal: interrupts.signal, onProgress };
  if (url !== undefined) {
    const apiKey = options.apiKey ?? io.env["SIROCCO_API_KEY"];
    return runServer({ server: { url, model, apiKey, chat }, setting, budget, ...shared });
  }
  const [engine, runSuites] = [await io.engine(), await io.bench()];
  return runSuites({
    engine: options.quiet ? engine : notingDownloads(engine, context),
    names: names.length > 0 ? suiteNames.filter((name) => names.includes(name)) : DEFAULT_SUITES,
    request: { model, load: toLoadOptions(options), budget, text, streams: setting },
    ...shared,
  });
}

function addCompare(bench: Command, context: Context, exit: (code: number) => void): void {
  const command = bench
    .command("compare")
    .summary("what changed between two runs")
    .description(
      "Compares two files written by `bench --json`. A figure counts as changed if its median changed by more than the " +
        "threshold and the runs before and after do not overlap. Exit code 1 if one got worse.",
    )
    .argument("<before>", "file written by bench --json")
    .argument("<after>", "file written by bench --json")
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
    files.map(async (file) => parseReport(await readTextFile(file, "bench compare"), file)),
  );
  if (!before || !after) throw new UsageError("bench compare: expected two files");
  const comparison = compare(before, after, threshold);
  if (json) output.json(comparison);
  else output.write(renderComparison(comparison, threshold));
  return hasRegression(comparison) ? exitCode.error : exitCode.ok;
}

async function checkWritable(option: string, file: string): Promise<void> {
  try {
    await (await open(file, "a")).close();
  } catch (cause) {
    throw new Error(`${option} ${file}: cannot be written`, { cause });
  }
}

/** A line on a terminal about what is being measured. */
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
