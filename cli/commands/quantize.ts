// sirocco quantize: writes a smaller checkpoint.
import { type Command, Option } from "commander";
import { weightFormatNames } from "../../kernels/formats/table.ts";
import { type Context, exitCode } from "../context.ts";
import type { WeightFormatName } from "../engine.ts";
import { UsageError } from "../errors.ts";
import { formatBytes } from "../format.ts";
import { addModelOptions, addOptions, addOutputOptions, type ModelOptions } from "../options.ts";
import { checkEmpty } from "../out-folder.ts";
import { nonEmpty, storedWeights } from "../parse.ts";
import { withProgress } from "../progress.ts";

interface Options extends ModelOptions {
  readonly weights?: WeightFormatName;
  readonly out?: string;
}

export function addQuantize(program: Command, context: Context, exit: (code: number) => void): void {
  const command = program
    .command("quantize")
    .summary("write a smaller checkpoint")
    .description(
      "Writes a copy of a model, in another weight format, to a new folder. The copy loads faster than the original, " +
        "and gives the same results as the original loaded with the same --weights. Of a quantised model (GGUF, GPTQ, AWQ " +
        "and others), each matrix keeps its codes if --weights is left out.",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ sirocco quantize --model mistralai/Mistral-7B-Instruct-v0.2 --weights q4 --out mistral-q4
  $ sirocco quantize --model TheBloke/Mistral-7B-Instruct-v0.2-AWQ --out mistral-awq`,
    );
  addOptions(command, "Required", [
    new Option("-o, --out <folder>", "folder to write; new, or empty").argParser(
      nonEmpty("--out", "a folder"),
    ),
  ]);
  addOptions(command, "Model", [
    new Option(
      "-w, --weights <format>",
      `${weightFormatNames.join(", ")} (default for quantised models: what keeps their values)`,
    ).argParser(storedWeights),
  ]);
  addModelOptions(command);
  addOutputOptions(command, "print one object: out, weights, formats, before, bytes, files, warnings");
  command.action(async (options: Options) => exit(await quantize(context, options)));
}

async function quantize(context: Context, options: Options): Promise<number> {
  const { io, output, interrupts } = context;
  const { weights, out, model, adapter, threads, json = false, quiet = false } = options;
  if (!out) throw new UsageError("quantize: expected --out, as in --out my-model-q4");
  await checkEmpty(out);
  const { quantizeModel } = await io.engine();
  const { before, bytes, formats, files, warnings } = await withProgress(context, options, (onProgress) =>
    quantizeModel(model, {
      ...{ out, signal: interrupts.signal },
      ...(weights === undefined ? {} : { weights }),
      ...(adapter === undefined ? {} : { adapter }),
      ...(threads === undefined ? {} : { threads }),
      onProgress,
    }),
  );
  if (json)
    output.json({ out, weights: formats[0], formats, before, bytes, files, ...(warnings && { warnings }) });
  else {
    const sizes = `${formatBytes(before)} -> ${formatBytes(bytes)} as ${formats.join(", ")}`;
    output.write(`${out}: ${sizes}, ${files.length} files\n`);
    for (const warning of warnings ?? []) output.note(`warning: ${warning}`);
    if (!quiet) output.note(`Try it: sirocco generate --model ${quoted(asFolder(out))} "Once upon a time"`);
  }
  return exitCode.ok;
}

/** Without ./ "a/b" would name a Hub repository. */
const asFolder = (path: string): string => (/^([./~\\]|[a-z]:)/i.test(path) ? path : `./${path}`);

const quoted = (path: string): string =>
  /^[\w./:\\-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
