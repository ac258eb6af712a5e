// The commands and their help.
import { Command } from "commander";
import { addBench } from "./commands/bench.ts";
import { addChat } from "./commands/chat.ts";
import { addClassify } from "./commands/classify.ts";
import { addEval } from "./commands/eval.ts";
import { addGenerate } from "./commands/generate.ts";
import { addInfo } from "./commands/info.ts";
import { addMerge } from "./commands/merge.ts";
import { addModels } from "./commands/models.ts";
import { addPlan } from "./commands/plan.ts";
import { addQuantize } from "./commands/quantize.ts";
import { addScore } from "./commands/score.ts";
import { addServe } from "./commands/serve.ts";
import { addTune } from "./commands/tune.ts";
import type { Context } from "./context.ts";
import { wrapList } from "./format.ts";
import { modelNames } from "./model-names.ts";
import { packageVersion } from "./package.ts";

export function createProgram(context: Context, exit: (code: number) => void): Command {
  const { io } = context;
  const program = new Command("sirocco")
    .description(
      "Runs Mistral 7B and its family from Hugging Face safetensors, on WebGPU or the CPU.\n" +
        "Without --model every command uses a tiny model that is part of the package.",
    )
    .version(packageVersion, "-V, --version", "show the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .exitOverride()
    // `bench` and `bench compare` both have --json: each takes the options after its own name.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      // run() prints errors.
      outputError: () => {},
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText(
      "after",
      `
Names for --model (\`sirocco models\` has their sizes):
  ${wrapList(modelNames, 76).replaceAll("\n", "\n  ")}

Environment:
  SIROCCO_API_KEY   a key for clients of sirocco serve
  HF_TOKEN          access token of the Hugging Face Hub, for private and gated repositories
  HF_ENDPOINT       address of the Hub (default: https://huggingface.co)
  HF_HOME           folder of the Hub's cache, shared with Python (default: ~/.cache/huggingface)
  SIROCCO_ADAPTER   same as --adapter
  SIROCCO_THREADS   same as --threads
  VK_DRIVER_FILES   Vulkan drivers to use (Linux)
  NO_COLOR          no colours
  SIROCCO_DEBUG     same as --debug

Exit codes: 0 success, 1 failure, 2 wrong usage, 130 stopped by Ctrl-C.
Sizes are in powers of 1024: 1 GiB is 1024 MiB.

Example:
  $ sirocco generate "Once upon a time"`,
    );
  for (const add of [
    ...[
      addGenerate,
      addChat,
      addServe,
      addClassify,
      addScore,
      addEval,
      addPlan,
      addTune,
      addQuantize,
      addMerge,
      addBench,
      addInfo,
      addModels,
    ],
  ])
    add(program, context, exit);
  return program;
}
