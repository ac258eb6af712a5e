// sirocco generate: continues a text.
import { type Command, Option } from "commander";
import { answerRecord, collectAnswer, statsLine } from "../answer.ts";
import { addFormatOptions, type FormatOptions, readAnswerFormat } from "../answer-format.ts";
import { type Context, exitCode } from "../context.ts";
import { readText } from "../input.ts";
import { withModel } from "../open-model.ts";
import {
  adapterOf,
  addAdapterModelOption,
  addLoadingOptions,
  addOptions,
  addOutputOptions,
  addSamplingOptions,
  type LoadingOptions,
  type SamplingOptions,
  toGenerateOptions,
} from "../options.ts";
import { nonEmpty, randomSeed } from "../parse.ts";

interface Options extends LoadingOptions, SamplingOptions, FormatOptions {
  readonly file?: string;
}

export function addGenerate(program: Command, context: Context, exit: (code: number) => void): void {
  const command = program
    .command("generate")
    .summary("continue a text")
    .description(
      "Continues a text: streams the continuation to stdout, then statistics to stderr. " +
        "The prompt is an argument, a file or stdin. A final newline of a file or of stdin is dropped.",
    )
    .argument("[prompt]", "the text to continue")
    .addHelpText(
      "after",
      `
Ctrl-C stops the answer; a second Ctrl-C quits at once.

Examples:
  $ sirocco generate "Once upon a time"
  $ echo "The cat sat" | sirocco generate --temperature 0 --max-tokens 40 > story.txt
  $ sirocco generate "Is a whale a fish? Answer:" --regex " (yes|no)"
  $ sirocco generate -m mistralai/Mistral-7B-v0.1 --weights q4 --json "2 + 2 ="`,
    );
  addOptions(command, "Input", [
    new Option("-f, --file <path>", "read the prompt from a file").argParser(nonEmpty("--file", "a file")),
  ]);
  addFormatOptions(command);
  addSamplingOptions(command, 256);
  addLoadingOptions(command);
  addAdapterModelOption(command);
  addOutputOptions(
    command,
    "print one object: text, ids, finish (reason, counts, ms), seed, weights, adapter, adapterModel (with it)",
  );
  command.action(async (prompt: string | undefined, options: Options) =>
    exit(await generate(context, prompt, options)),
  );
}

async function generate(context: Context, argument: string | undefined, options: Options): Promise<number> {
  const { output, interrupts } = context;
  const { json = false, quiet = false, file } = options;
  const prompt = await readText(context, { command: "generate", what: "prompt", argument, file });
  const format = await readAnswerFormat(options);
  const seed = options.seed ?? randomSeed();
  return withModel(context, options, async (model) => {
    if (!json && output.stdoutIsTerminal) output.writeDim(prompt);
    let last = "";
    const write = (text: string): void => {
      if (json) return;
      output.write(text);
      last = text;
    };
    const chunks = model.generate(prompt, {
      ...toGenerateOptions(options, seed, format),
      ...adapterOf(options),
      signal: interrupts.signal,
    });
    try {
      const answer = await collectAnswer(chunks, write);
      if (json) output.json(answerRecord(answer, model, options, seed));
      else if (!last.endsWith("\n")) output.write("\n");
      if (!json && !quiet) output.note(statsLine(answer, model, options, seed));
      return answer.finish.reason === "abort" ? exitCode.interrupted : exitCode.ok;
    } catch (error) {
      // The error message must begin a new line.
      if (!json && last !== "" && !last.endsWith("\n")) output.write("\n");
      throw error;
    }
  });
}
