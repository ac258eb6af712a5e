// sirocco merge: writes a base model with a LoRA adapter merged into it.
import { type Command, Option } from "commander";
import { type Context, exitCode } from "../context.ts";
import { UsageError } from "../errors.ts";
import { formatBytes } from "../format.ts";
import { addModelOption, addOptions, addOutputOptions, type OutputOptions } from "../options.ts";
import { checkEmpty, namesIn } from "../out-folder.ts";
import { nonEmpty } from "../parse.ts";
import { withProgress } from "../progress.ts";

interface Options extends OutputOptions {
  readonly model?: string;
  readonly adapter?: string;
  readonly out?: string;
  readonly force?: boolean;
}

export function addMerge(program: Command, context: Context, exit: (code: number) => void): void {
  const command = program
    .command("merge")
    .summary("merge a LoRA adapter into its base model")
    .description(
      "Writes a base model with a LoRA adapter of PEFT merged into it to a folder: safetensors in bf16, config.json and " +
        "the tokenizer, as any program loads them. Of a quantised base, the dequantised weights are merged. Needs no GPU.",
    )
    .addHelpText(
      "after",
      `
Example:
  $ sirocco merge --model mistralai/Mistral-7B-Instruct-v0.2 --adapter ./my-adapter --out ./my-model`,
    );
  addOptions(command, "Required", [
    new Option(
      "--adapter <source>",
      "the adapter: a folder with adapter_config.json and adapter_model.safetensors, its URL, or owner/name[@revision] on the Hugging Face Hub",
    ).argParser(nonEmpty("--adapter", "a folder, a URL or owner/name[@revision]")),
    new Option("-o, --out <folder>", "folder to write; new or empty, unless --force is set").argParser(
      nonEmpty("--out", "a folder"),
    ),
  ]);
  addModelOption(command);
  addOptions(command, "Output", [new Option("--force", "replace the checkpoint in --out")]);
  addOutputOptions(command, "print one object: out, bytes, changed, quantised, files, warnings");
  command.action(async (options: Options) => exit(await merge(context, options)));
}

async function merge(context: Context, options: Options): Promise<number> {
  const { io, output, interrupts } = context;
  const { model, adapter, out, force = false, json = false } = options;
  if (!adapter) throw new UsageError("merge: expected --adapter, as in --adapter ./my-adapter");
  if (!out) throw new UsageError("merge: expected --out, as in --out ./my-model");
  if (force) await namesIn(out);
  else await checkEmpty(out, ". --force replaces the checkpoint in it");
  const { mergeModel } = await io.engine();
  const { bytes, changed, quantised, files, warnings } = await withProgress(context, options, (onProgress) =>
    mergeModel(model, { adapter, out, force, onProgress, signal: interrupts.signal }),
  );
  if (json) {
    output.json({ out, bytes, changed, quantised, files, ...(warnings && { warnings }) });
    return exitCode.ok;
  }
  output.write(
    `${out}: ${formatBytes(bytes)} in bf16, ${changed} ${changed === 1 ? "tensor" : "tensors"} changed, ${files.length} files\n`,
  );
  if (quantised) output.note(`The base is quantised (${quantised}): its dequantised weights were merged.`);
  for (const warning of warnings ?? []) output.note(`warning: ${warning}`);
  return exitCode.ok;
}
