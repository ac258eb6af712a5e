// sirocco info: adapters of this machine, versions, and facts about a model.
import type { Command } from "commander";
import { type Context, exitCode } from "../context.ts";
import { driverAdvice } from "../driver.ts";
import type { AdapterDescription } from "../engine.ts";
import { errorMessage } from "../errors.ts";
import { formatBytes, table, wrapList } from "../format.ts";
import { addModelOptions, addOutputOptions, type ModelOptions } from "../options.ts";
import { packageVersion } from "../package.ts";
import { planRows } from "./plan.ts";

export function addInfo(program: Command, context: Context, exit: (code: number) => void): void {
  const command = program
    .command("info")
    .summary("list this machine's GPUs, versions, and facts about a model")
    .description(
      "Lists the WebGPU adapters of this machine with their limits, and the versions in use. Without an adapter it " +
        "says what to install. With --model it also prints facts about that model.",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ sirocco info
  $ sirocco info --model mistralai/Mistral-7B-v0.1`,
    );
  addModelOptions(command);
  addOutputOptions(
    command,
    "print one object: version, node, platform, adapters, advice or null, model or null",
  );
  command.action(async (options: ModelOptions) => exit(await info(context, options)));
}

async function info({ io, output, interrupts }: Context, options: ModelOptions): Promise<number> {
  const { listAdapters, planModel } = await io.engine();
  let problem = "";
  const adapters = await listAdapters().catch((error: unknown) => {
    // Without Dawn's package there are no adapters; the rest is still printed.
    problem = errorMessage(error);
    return [];
  });
  const advice =
    adapters.length > 0 ? null : [problem, driverAdvice(process.platform)].filter(Boolean).join(" ");
  const versions = { version: packageVersion, node: process.versions.node };
  const platform = `${process.platform} ${process.arch}`;
  const adapter = options.adapter === undefined ? {} : { adapter: options.adapter };
  const plan =
    options.model === undefined
      ? null
      : await planModel(options.model, { ...adapter, parallel: 1, signal: interrupts.signal });
  if (options.json) output.json({ ...versions, platform, adapters, advice, model: plan });
  else {
    output.write(
      table([
        ["sirocco", versions.version],
        ["node", versions.node],
        ["platform", platform],
      ]),
    );
    if (advice) output.write(`\nno adapter: ${advice}\n`);
    for (const each of adapters) output.write(`\n${table(adapterRows(each))}`);
    if (plan) output.write(`\n${table(planRows(plan, options.model))}`);
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
