// sirocco classify: which of some labels fits a text.
import { type Command, Option } from "commander";
import { type Context, exitCode } from "../context.ts";
import { formatDuration } from "../format.ts";
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
import { labels, nonEmpty } from "../parse.ts";

interface Options extends LoadingOptions {
  readonly file?: string;
  readonly labels: readonly string[];
  readonly prompt?: string;
  readonly raw?: boolean;
  readonly normalize?: boolean;
}

export function addClassify(program: Command, context: Context, exit: (code: number) => void): void {
  const command = program
    .command("classify")
    .summary("choose the label that fits a text")
    .description(
      "Prints labels with their probabilities, the likeliest first. The model is asked which one fits the text; the " +
        "prompt is computed once, and nothing is sampled. The text is an argument, a file or stdin. A final newline of " +
        "a file or of stdin is dropped.",
    )
    .argument("[text]", "the text to classify")
    .addHelpText(
      "after",
      `
Examples:
  $ sirocco classify "The soup was cold." --labels praise,complaint
  $ sirocco classify -f mail.txt --labels spam,work,private --json
  $ sirocco classify "Tom lost his toy" --labels happy,sad --raw --prompt "{text}. Tom felt very "`,
    );
  addOptions(command, "Input", [
    new Option("-l, --labels <a,b,c>", "labels to choose from, 2 to 64")
      .argParser(labels)
      .makeOptionMandatory(),
    new Option("-f, --file <path>", "read the text from a file").argParser(nonEmpty("--file", "a file")),
    new Option(
      "--prompt <text>",
      "question for the model, with {text}, and {labels} for the list (default: which fits best)",
    ).argParser(nonEmpty("--prompt", "a question with {text} in it")),
    new Option("--raw", "no chat format: labels continue the prompt, or the text; for base models"),
    new Option("--normalize", "compare labels by the mean log-probability of their tokens, not by the sum"),
  ]);
  addLoadingOptions(command);
  addAdapterModelOption(command);
  addOutputOptions(
    command,
    "print one object: label, probabilities (by label), promptTokens, cachedTokens, weights, adapter, adapterModel (with it)",
  );
  command.action(async (text: string | undefined, options: Options) =>
    exit(await classify(context, text, options)),
  );
}

async function classify(context: Context, argument: string | undefined, options: Options): Promise<number> {
  const { output, interrupts } = context;
  const { labels, prompt, raw = false, normalize = false, file } = options;
  const text = await readText(context, { command: "classify", what: "text", argument, file });
  return withModel(context, options, async (model) => {
    const start = performance.now();
    const asked = {
      ...{ raw, normalize, signal: interrupts.signal },
      ...(prompt !== undefined && { prompt }),
      ...adapterOf(options),
    };
    const result = await model.classify(text, labels, asked);
    if (options.json) {
      output.json({
        ...result,
        weights: model.plan.weights,
        adapter: model.adapter.name,
        ...adapterField(options),
      });
      return exitCode.ok;
    }
    const rows = Object.entries(result.probabilities).sort(([, a], [, b]) => b - a);
    for (const [label, probability] of rows) output.write(`${probability.toFixed(4)}  ${label}\n`);
    if (!options.quiet) {
      const took = formatDuration(performance.now() - start);
      output.note(`${took}, ${model.plan.weights}${withAdapter(options)} on ${model.adapter.name}`);
    }
    return exitCode.ok;
  });
}
