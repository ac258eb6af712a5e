// sirocco score: perplexity of a text.
import { type Command, Option } from "commander";
import { type Context, exitCode } from "../context.ts";
import { UsageError } from "../errors.ts";
import { threeDigits } from "../format.ts";
import { readText } from "../input.ts";
import { withModel } from "../open-model.ts";
import {
  adapterField,
  adapterOf,
  addAdapterModelOption,
  addLoadingOptions,
  addOptions,
  addOutputOptions,
  type LoadingOptions,
  withAdapter,
} from "../options.ts";
import { integer, nonEmpty } from "../parse.ts";

interface Options extends LoadingOptions {
  readonly file?: string;
  readonly top?: number;
}

export function addScore(program: Command, context: Context, exit: (code: number) => void): void {
  const command = program
    .command("score")
    .summary("compute the perplexity of a text")
    .description(
      "Prints the perplexity of a text: exp of the mean negative log-probability of its tokens, each given those " +
        "before it. Lower is likelier. The text is an argument, a file or stdin. A final newline of a file or of stdin " +
        "is dropped.",
    )
    .argument("[text]", "the text to score")
    .addHelpText(
      "after",
      `
Examples:
  $ sirocco score "The cat sat on the mat."
  $ sirocco score --file book.txt --weights q4 --json`,
    );
  addOptions(command, "Input", [
    new Option("-f, --file <path>", "read the text from a file").argParser(nonEmpty("--file", "a file")),
  ]);
  addOptions(command, "Output", [
    new Option(
      "--top <count>",
      "with --json: this many of the likeliest tokens in the place of each, 0 to 5",
    ).argParser(integer("--top", { max: 5, words: "from 0 to 5" })),
  ]);
  addLoadingOptions(command);
  addAdapterModelOption(command);
  addOutputOptions(
    command,
    "print one object: perplexity, tokens, logProbs (natural logarithms, one a token), ranks (1: the likeliest), top " +
      "(with --top), weights, adapter, adapterModel (with it)",
  );
  command.action(async (text: string | undefined, options: Options) =>
    exit(await score(context, text, options)),
  );
}

async function score(context: Context, argument: string | undefined, options: Options): Promise<number> {
  const { output, interrupts } = context;
  const text = await readText(context, { command: "score", what: "text", argument, file: options.file });
  return withModel(context, options, async (model) => {
    const start = performance.now();
    const asked = options.top !== undefined && { topLogProbs: options.top };
    const { logProbs, ranks, perplexity, top } = await model.score(text, {
      ...asked,
      ...adapterOf(options),
      signal: interrupts.signal,
    });
    const tokens = logProbs.length;
    if (tokens === 0) throw new UsageError("score: expected a text of at least one token, got an empty one");
    if (options.json) {
      const { plan, adapter } = model;
      const lists = { logProbs: Array.from(logProbs), ranks: Array.from(ranks), ...(top && { top }) };
      output.json({
        perplexity,
        tokens,
        ...lists,
        weights: plan.weights,
        adapter: adapter.name,
        ...adapterField(options),
      });
    } else {
      output.write(`perplexity ${perplexity.toFixed(4)} over ${tokens} tokens\n`);
      const rate = threeDigits((tokens / (performance.now() - start)) * 1000);
      if (!options.quiet)
        output.note(
          `${rate} tokens/s, ${model.plan.weights}${withAdapter(options)} on ${model.adapter.name}`,
        );
    }
    return exitCode.ok;
  });
}
