// sirocco info: adapters of this machine and versions, or what a checkpoint is.
import type { Command } from "commander";
import { type Context, exitCode } from "../context.ts";
import { gpuAdvice } from "../driver.ts";
import type { AdapterDescription } from "../engine.ts";
import { formatBytes, table, wrapList } from "../format.ts";
import { modelTable } from "../model-rows.ts";
import { addModelOption, addOutputOptions, type ModelOptions } from "../options.ts";
import { packageVersion } from "../package.ts";

export function addInfo(program: Command, context: Context, exit: (code: number) => void): void {
  const command = program
    .command("info")
    .summary("list this machine's GPUs and versions, or say what a checkpoint is")
    .description(
      "Lists the WebGPU adapters of this machine with their limits, the CPU last, and the versions in use. Without a GPU " +
        "it says what to install. With --model it prints what that checkpoint is instead: its format, sizes, window, " +
        "tokenizer, chat template and files, and the memory that its weights take in each format. Only headers and " +
        "small files are read, and no GPU is needed.",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ sirocco info
  $ sirocco info --model mistralai/Mistral-7B-v0.1
  $ sirocco info --model TheBloke/Mistral-7B-Instruct-v0.2-GGUF --json`,
    );
  addModelOption(command, "none: this machine's GPUs");
  addOutputOptions(
    command,
    "print one object: version, node, platform, adapters, advice or null; with --model: what describeModel returns",
  );
  command.action(async (options: ModelOptions) => exit(await info(context, options)));
}

async function info(context: Context, { model, json }: ModelOptions): Promise<number> {
  const { io, output, interrupts } = context;
  if (model === undefined) return machine(context, json);
  const { describeModel } = await io.engine();
  const description = await describeModel(model, { signal: interrupts.signal });
  if (json) output.json(description);
  else output.write(modelTable(description, io.stdout.columns ?? 80));
  return exitCode.ok;
}

async function machine({ io, output }: Context, json = false): Promise<number> {
  const { listAdapters } = await io.engine();
  const adapters = await listAdapters();
  const advice = adapters.some(({ software }) => !software) ? null : await gpuAdvice(process.platform);
  const versions = { version: packageVersion, node: process.versions.node };
  const platform = `${process.platform} ${process.arch}`;
  if (json) output.json({ ...versions, platform, adapters, advice });
  else {
    output.write(
      table([
        ["sirocco", versions.version],
        ["node", versions.node],
        ["platform", platform],
      ]),
    );
    if (advice)
      output.write(
        `\nno GPU, so models run on the CPU unless --adapter or SIROCCO_ADAPTER names a driver. ${advice}\n`,
      );
    for (const each of adapters) output.write(`\n${table(adapterRows(each))}`);
  }
  return exitCode.ok;
}

const adapterRows = (adapter: AdapterDescription): [label: string, value: string][] => [
  ["adapter", adapter.name],
  ["vendor", [adapter.vendor, adapter.architecture].filter(Boolean).join(", ") || "unknown"],
  ["largest binding", formatBytes(adapter.maxBindingBytes)],
  ["largest buffer", formatBytes(adapter.maxBufferBytes)],
  ["features", wrapList([...adapter.features].sort(), 62) || "none"],
];
