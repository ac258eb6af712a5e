// sirocco models: the models that have names, and what the Hub's cache holds.
import { createInterface } from "node:readline/promises";
import { type Command, Option } from "commander";
import {
  type KnownModel,
  knownBySource,
  knownModel,
  knownModels,
  modelPage,
  repositoryOf,
} from "../../weights/known-models.ts";
import { hubCacheFolder } from "../../weights/sources/hub-cache.ts";
import {
  type CachedRepository,
  cachedRepositories,
  removeRepository,
} from "../../weights/sources/hub-cached.ts";
import { isRepository } from "../../weights/sources/hub-repository.ts";
import { type Context, exitCode } from "../context.ts";
import { shortPath } from "../download-note.ts";
import { isAbort, UsageError } from "../errors.ts";
import { formatBytes, formatCount, table, wrapText } from "../format.ts";
import { addOptions, addOutputOptions, type OutputOptions } from "../options.ts";
import { withProgress } from "../progress.ts";

type Exit = (code: number) => void;

interface RemoveOptions extends OutputOptions {
  readonly yes?: boolean;
}

const NAME = "a name of `sirocco models`, or owner/name[/file.gguf] on the Hugging Face Hub";

export function addModels(program: Command, context: Context, exit: Exit): void {
  const command = program
    .command("models")
    .summary("list, download and delete models")
    .description(
      "Lists the models that have names, and what is on this disk. Downloads are kept in the Hugging Face Hub's cache, " +
        "which Python's libraries share: HF_HOME says where.",
    )
    .helpCommand(false)
    .enablePositionalOptions()
    .addHelpText(
      "after",
      `
Examples:
  $ sirocco models
  $ sirocco models pull smollm2
  $ sirocco chat --model smollm2
  $ sirocco models rm smollm2`,
    );
  addOutputOptions(command, []);
  addList(command, context, exit);
  addPull(command, context, exit);
  addRemove(command, context, exit);
  addModelInfo(command, context, exit);
}

function addList(models: Command, context: Context, exit: Exit): void {
  const command = models
    .command("list", { isDefault: true })
    .alias("ls")
    .summary("names with their sizes, and what is on this disk")
    .description(
      "Lists the models that have names, and all models in the Hub's cache with their bytes on disk.",
    )
    // A mistyped command comes here, as the default one.
    .argument("[unknown]")
    .usage("[options]");
  addOutputOptions(command, "print one object: folder, bytes, models, others");
  command.action(async (unknown: string | undefined, options: OutputOptions) => {
    if (unknown !== undefined)
      throw new UsageError(`models: expected list, pull, rm or info, got "${unknown}"`);
    exit(await list(context, options));
  });
}

async function list({ io, output }: Context, { json }: OutputOptions): Promise<number> {
  const cached = await cachedRepositories(io.env);
  const folder = hubCacheFolder(io.env);
  const bytes = cached.reduce((sum, each) => sum + each.bytes, 0);
  const others = cached.filter(({ name }) => knownBySource(name) === undefined);
  const rows = knownModels.map((known) => ({ known, disk: onDisk(known, cached) }));
  if (json) {
    const sized = ({ name, bytes, partialBytes }: CachedRepository) => ({ name, bytes, partialBytes });
    output.json({
      ...{ folder, bytes },
      models: rows.map(({ known, disk }) => ({
        ...known,
        onDisk: { bytes: disk?.bytes ?? 0, partialBytes: disk?.partialBytes ?? 0 },
      })),
      others: others.map(sized),
    });
    return exitCode.ok;
  }
  const lines = rows.map(({ known, disk }) => [
    ...[known.aliases[0], known.title],
    known.source === null ? "none" : formatBytes(known.downloadBytes),
    formatBytes(known.gpuBytes),
    known.source === null ? "included" : diskText(disk),
  ]);
  const head = ["name", "model", "download", "GPU memory", "on disk"];
  output.write(fittingColumns([head, ...lines], io.stdout.columns));
  for (const { aliases, source, gated } of knownModels)
    if (gated && source) output.write(`\n${aliases[0]}: accept its terms first, at ${modelPage(source)}\n`);
  if (others.length > 0)
    output.write(`\nAlso on disk:\n${columns(others.map((each) => [each.name, diskText(each)]))}`);
  output.write(`\n${formatBytes(bytes)} in all, in ${shortPath(folder)}\n`);
  return exitCode.ok;
}

const onDisk = ({ source }: KnownModel, cached: readonly CachedRepository[]): CachedRepository | undefined =>
  source === null ? undefined : cached.find(({ name }) => name === repositoryOf(source));

function diskText(disk: CachedRepository | undefined): string {
  if (!disk) return "-";
  const { bytes, partialBytes } = disk;
  return `${formatBytes(bytes)}${partialBytes > 0 ? `, ${formatBytes(partialBytes)} unfinished` : ""}`;
}

/** On a narrow terminal the model's title is left out, and then its GPU memory: `models info` has both. */
function fittingColumns(rows: readonly (readonly string[])[], width = Number.POSITIVE_INFINITY): string {
  const without = (...hidden: number[]) =>
    columns(rows.map((row) => row.filter((_, i) => !hidden.includes(i))));
  const fits = (text: string) => text.split("\n").every((line) => line.length <= width);
  return [without(), without(1)].find(fits) ?? without(1, 3);
}

/** Rows as columns, the last one ragged. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function addPull(models: Command, context: Context, exit: Exit): void {
  const command = models
    .command("pull")
    .summary("download a model")
    .description(
      "Downloads the files that a model needs, to the Hub's cache, and checks them. What was interrupted goes on. " +
        "Nothing is asked.",
    )
    .argument("<name>", NAME);
  addOutputOptions(command, "print one object: name, bytes, files");
  command.action(async (name: string, options: OutputOptions) => exit(await pull(context, name, options)));
}

async function pull(context: Context, name: string, options: OutputOptions): Promise<number> {
  const { io, output, interrupts } = context;
  const source = hubName(name);
  const known = knownModel(name);
  if (source === null) {
    if (options.json) output.json({ name: known?.title ?? name, bytes: 0, files: [] });
    else output.write(`${name} is a part of the package: there is nothing to download.\n`);
    return exitCode.ok;
  }
  const { pullFromHub } = await import("../../weights/sources/hub-pull.ts");
  let fetched = false;
  const { signal } = interrupts;
  const work = withProgress(context, options, (onProgress) =>
    pullFromHub(source, {
      ...{ env: io.env, signal },
      onProgress: ({ file, loaded, total }) => {
        fetched = true;
        onProgress({ stage: "download", name: file, loaded, total });
      },
    }),
  );
  const pulled = await work.catch((error: unknown) => {
    if (isAbort(error) && fetched && !options.quiet)
      output.note("Stopped. The same command goes on from here.");
    throw error;
  });
  if (options.json) output.json(pulled);
  else
    output.write(
      `${pulled.name}: ${formatBytes(pulled.bytes)}, ${fetched ? "downloaded and checked" : "here already"}\n`,
    );
  if (!options.json && !options.quiet && output.stderrIsTerminal)
    output.note(`Try it: sirocco chat --model ${known ? name : source}`);
  return exitCode.ok;
}

function addRemove(models: Command, context: Context, exit: Exit): void {
  const command = models
    .command("rm")
    .summary("delete a model from this disk")
    .description(
      "Deletes a repository with all its files from the Hub's cache, for Python, too. It says how much that is, and asks.",
    )
    .argument("<name>", "a name of `sirocco models`, or owner/name of the Hugging Face Hub");
  addOptions(command, "Deleting", [new Option("-y, --yes", "do not ask")]);
  addOutputOptions(command, "print one object: name, bytes; needs --yes");
  command.action(async (name: string, options: RemoveOptions) => exit(await remove(context, name, options)));
}

async function remove(context: Context, name: string, { yes, json, quiet }: RemoveOptions): Promise<number> {
  const { io, output } = context;
  const source = hubName(name);
  if (source === null) throw new UsageError(`models rm: ${name} is a part of the package`);
  const found = await inCache(context, source);
  if (!found)
    throw new Error(`${name}: expected a model on this disk, got none. \`sirocco models\` lists them.`);
  const what = `${found.name} (${formatBytes(found.bytes)})`;
  if (!yes) {
    if (json || !io.stdin.isTTY || !output.stderrIsTerminal)
      throw new UsageError(`models rm: expected --yes to delete ${what}: nobody can be asked here`);
    if (!(await isConfirmed(context, `Delete ${what} from ${shortPath(found.folder)}? [y/N] `))) {
      output.note("Nothing was deleted.");
      return exitCode.ok;
    }
  }
  await removeRepository(found);
  if (json) output.json({ name: found.name, bytes: found.bytes });
  else if (!quiet) output.write(`Deleted ${what}\n`);
  return exitCode.ok;
}

async function isConfirmed({ io, interrupts }: Context, question: string): Promise<boolean> {
  const readline = createInterface({ input: io.stdin, output: io.stderr });
  // In a terminal readline takes Ctrl-C for itself; Ctrl-D ends without an answer.
  const left = new Promise<string>((resolve) => {
    readline.on("SIGINT", () => {
      interrupts.press();
      resolve("");
    });
    readline.on("close", () => resolve(""));
  });
  try {
    const answer = await Promise.race([readline.question(question, { signal: interrupts.signal }), left]);
    interrupts.signal.throwIfAborted();
    return /^\s*y(es)?\s*$/i.test(answer);
  } finally {
    readline.close();
  }
}

function addModelInfo(models: Command, context: Context, exit: Exit): void {
  const command = models
    .command("info")
    .summary("what a model is for, what it needs, what of it is on this disk")
    .description(
      "Prints what is known of a model without the network. `sirocco info --model NAME` reads its headers instead.",
    )
    .argument("<name>", NAME);
  addOutputOptions(command, "print one object: the fields of models.json, page, onDisk or null");
  command.action(async (name: string, options: OutputOptions) =>
    exit(await modelInfo(context, name, options)),
  );
}

async function modelInfo(context: Context, name: string, { json }: OutputOptions): Promise<number> {
  const { io, output } = context;
  const source = hubName(name);
  const known = knownModel(name) ?? (source === null ? undefined : knownBySource(source));
  const disk = source === null ? undefined : await inCache(context, source);
  if (!known && !disk)
    throw new Error(
      `${name}: expected a name of \`sirocco models\` or a model on this disk, got neither. \`sirocco info --model ${name}\` asks the Hub.`,
    );
  const page = source === null ? null : modelPage(source);
  if (json) {
    output.json({ ...known, page, onDisk: disk ?? null });
    return exitCode.ok;
  }
  const rows = [
    ...(known ? knownRows(known) : [["model", source ?? name] as const]),
    ...(page ? [["page", page] as const] : []),
    ["on disk", known?.source === null ? "in the package" : diskRow(disk)] as const,
  ];
  const width = Math.max(20, (io.stdout.columns ?? 80) - 15);
  // What has no blanks, such as an address, is left to the terminal: it can be copied whole.
  const wrapped = (value: string) => (value.includes(" ") ? wrapText(value, width) : value);
  output.write(table(rows.map(([label, value]) => [label, wrapped(value)])));
  return exitCode.ok;
}

function knownRows(known: KnownModel): (readonly [string, string])[] {
  const { aliases, title, about, source, format, weights, parameters, context, gated, licence } = known;
  return [
    ["model", title],
    ["for", about],
    ["names", aliases.join(", ")],
    ["parameters", formatCount(parameters)],
    ["context", `${formatCount(context)} tokens`],
    ...(source === null ? [] : [["source", source] as const]),
    ["download", source === null ? "none" : `${formatBytes(known.downloadBytes)}: ${format}`],
    ["GPU memory", `${formatBytes(known.gpuBytes)}, mostly ${weights}, with the default context`],
    ["licence", licence],
    ...(gated && source
      ? ([["permission", `accept its terms at ${modelPage(source)}, then set HF_TOKEN`]] as const)
      : []),
  ];
}

function diskRow(disk: CachedRepository | undefined): string {
  if (!disk) return "nothing";
  const files = disk.files.map(({ file, bytes }) => `${file} ${formatBytes(bytes)}`);
  return [diskText(disk), `in ${shortPath(disk.folder)}`, ...files].join("\n");
}

const inCache = async ({ io }: Context, source: string): Promise<CachedRepository | undefined> =>
  (await cachedRepositories(io.env, repositoryOf(source)))[0];

/** What a name stands for; null: the embedded model. @throws UsageError for anything else */
function hubName(name: string): string | null {
  const known = knownModel(name);
  if (known) return known.source;
  if (isRepository(name)) return name;
  throw new UsageError(`models: expected ${NAME}, got "${name}"`);
}
