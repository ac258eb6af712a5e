// sirocco plan: the memory that a model needs on the GPU, before any weight is read.
import type { Command } from "commander";
import { isUnlimited, tokens } from "../answer.ts";
import { type Context, exitCode } from "../context.ts";
import type { Plan } from "../engine.ts";
import { formatBytes, formatCount, table } from "../format.ts";
import {
  addLoadingOptions,
  addOptions,
  addOutputOptions,
  type LoadingOptions,
  type ParallelOptions,
  parallelOption,
  ringsOption,
  toLoadOptions,
} from "../options.ts";

export function addPlan(program: Command, context: Context, exit: (code: number) => void): void {
  const command = program
    .command("plan")
    .summary("compute the memory that a model needs, before it is downloaded")
    .description(
      "Reads only a model's configuration and headers, and prints the exact bytes that it will take on the GPU. " +
        "If it does not fit, it says by how much and what to do, with exit code 1.",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ sirocco plan --model mistralai/Mistral-7B-Instruct-v0.2 --weights q4
  $ sirocco plan --model ./my-model --context 8192 --json
  $ sirocco plan --model ./my-model --parallel 8         what sirocco serve takes`,
    );
  addLoadingOptions(command);
  addOptions(command, "Server", [
    parallelOption("answers at once, as with `sirocco serve` (default: 1)"),
    ringsOption(),
  ]);
  addOutputOptions(command, "print the plan as one object, sizes in bytes");
  command.action(async (options: Options) => exit(await plan(context, options)));
}

type Options = LoadingOptions & ParallelOptions;

async function plan({ io, output, interrupts }: Context, options: Options): Promise<number> {
  const { planModel } = await io.engine();
  const result = await planModel(options.model, { ...toLoadOptions(options), signal: interrupts.signal });
  if (options.json) output.json(result);
  else output.write(table(planRows(result, options.model)));
  return exitCode.ok;
}

function planRows(plan: Plan, model = "the embedded tiny model"): [label: string, value: string][] {
  const { adapter } = plan;
  return [
    ["model", model],
    ["parameters", formatCount(plan.parameters)],
    [
      "checkpoint",
      `${formatBytes(plan.checkpointBytes)}${plan.quantised === undefined ? "" : `, ${plan.quantised}`}`,
    ],
    ["weights", `${formatBytes(plan.weightBytes)} as ${plan.weights}`],
    ["cache", `${formatBytes(plan.cacheBytes)} as ${plan.cache}, ${formatCount(plan.cacheSlots)} slots`],
    ["scratch", `${formatBytes(plan.scratchBytes)}, ${formatCount(plan.chunkLength)} tokens a pass`],
    ["total", formatBytes(plan.totalBytes)],
    [
      "largest binding",
      `${formatBytes(plan.largestBindingBytes)} of at most ${formatBytes(adapter.maxBindingBytes)}`,
    ],
    ["context", isUnlimited({ plan }) ? "unlimited" : tokens(plan.contextLength)],
    ...(plan.rings > 1
      ? [["at once", `${plan.parallel} answers, ${plan.rings} conversations kept`] as [string, string]]
      : []),
    ["adapter", adapter.name],
    ["verdict", "fits this adapter's limits"],
    ...(plan.warnings ?? []).map((text): [string, string] => ["warning", text]),
  ];
}
