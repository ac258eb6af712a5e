// sirocco eval: accuracy on multiple-choice questions, perplexity of a long text, and how far two models or
// weight formats are apart on it.
import { type Command, Option } from "commander";
import { weightFormatNames } from "../../kernels/formats/table.ts";
import { type Context, exitCode } from "../context.ts";
import { UsageError } from "../errors.ts";
import { evaluateQuestions, type QuestionOptions } from "../evaluate-questions.ts";
import { evaluateText, type TextOptions } from "../evaluate-text.ts";
import {
  addAdapterModelOption,
  addLoadingOptions,
  addOptions,
  addOutputOptions,
  parallelOption,
} from "../options.ts";
import { integer, nonEmpty } from "../parse.ts";

type Options = Omit<QuestionOptions, "file"> & Omit<TextOptions, "file"> & { readonly perplexity?: string };

export function addEval(program: Command, context: Context, exit: (code: number) => void): void {
  const command = program
    .command("eval")
    .summary("measure accuracy on questions, perplexity of a long text, or the distance of two models")
    .description(
      "Asks multiple-choice questions from a file, or scores a long text. Questions are JSON lines: question, choices, " +
        "answer, or the rows of ARC, HellaSwag, MMLU, PIQA, WinoGrande or OpenBookQA as the Hugging Face Hub or AI2 has them. Prompts " +
        "and figures are those of lm-evaluation-harness. Ctrl-C stops it and prints what is there.",
    )
    .argument("[questions]", "file of questions, one JSON object a line")
    .addHelpText(
      "after",
      `
Figures of questions:
  acc         share of questions whose right answer is the likeliest
  acc_norm    the same, of log-probabilities over the answer's length in characters
  acc_bytes   the same, over its length in UTF-8 bytes

Examples:
  $ sirocco eval arc.jsonl --model mistral --weights q4 --few-shot 5 --out arc-q4.jsonl
  $ sirocco eval --perplexity book.txt --model mistral
  $ sirocco eval --perplexity book.txt --model mistral --weights q4 --against q8 --limit 2000`,
    );
  addOptions(command, "Questions", [
    new Option(
      "--few-shot <count>",
      "examples before each question: the first of the file, which are not asked",
    )
      .argParser(integer("--few-shot", { min: 0, max: 100, words: "from 0 to 100" }))
      .default(0),
    new Option("--few-shot-file <file>", "take the --few-shot examples from this file").argParser(
      nonEmpty("--few-shot-file", "a file"),
    ),
    new Option(
      "--out <file>",
      "append each question's log-probabilities as JSON lines; a second run goes on where the first stopped",
    ).argParser(nonEmpty("--out", "a file")),
    parallelOption("questions to ask at once").default(2),
  ]);
  addOptions(command, "Text", [
    new Option("--perplexity <file>", "score this text, in place of questions").argParser(
      nonEmpty("--perplexity", "a file"),
    ),
    new Option(
      "--max-length <tokens>",
      "tokens that the model sees at once (default: one less than the context, up to 2048)",
    ).argParser(integer("--max-length", { min: 2, words: "of at least 2" })),
    new Option("--overlap <tokens>", "tokens that a window shares with the one before it, at least")
      .argParser(integer("--overlap", { min: 1, words: "of at least 1" }))
      .default(1),
    new Option(
      "--against <model or format>",
      `compare with a reference at every token: another model, or the same one in ${weightFormatNames.join(", ")}`,
    ).argParser(nonEmpty("--against", "a model or a weight format")),
  ]);
  addOptions(command, "Both", [
    new Option("--limit <count>", "questions to ask, or tokens of the text to score, at most").argParser(
      integer("--limit", { min: 1, words: "of at least 1" }),
    ),
  ]);
  addLoadingOptions(command);
  addAdapterModelOption(command);
  addOutputOptions(
    command,
    "print one object with the figures, weights, cache, adapter, adapterModel (with it)",
  );
  command.action(async (file: string | undefined, options: Options) =>
    exit(await evaluate(context, command, file, options)),
  );
}

async function evaluate(
  context: Context,
  command: Command,
  file: string | undefined,
  { perplexity, ...options }: Options,
): Promise<number> {
  if ((file === undefined) === (perplexity === undefined))
    throw new UsageError(
      `eval: expected a file of questions or --perplexity with a text, got ${file === undefined ? "neither" : "both"}`,
    );
  const idle = (perplexity === undefined ? ["maxLength", "overlap", "against"] : QUESTIONS).find(
    (name) => command.getOptionValueSource(name) === "cli",
  );
  if (idle) {
    const flag = command.options.find((option) => option.attributeName() === idle)?.long ?? idle;
    const needed = perplexity === undefined ? "--perplexity" : "a file of questions";
    throw new UsageError(`${flag}: expected ${needed} with it, got none`);
  }
  if (options.fewShotFile !== undefined && options.fewShot === 0)
    throw new UsageError("--few-shot-file: expected --few-shot above 0 with it, as in --few-shot 5, got 0");
  const isWhole =
    perplexity === undefined
      ? await evaluateQuestions(context, { ...options, file: file as string })
      : await evaluateText(context, { ...options, file: perplexity });
  return isWhole ? exitCode.ok : exitCode.interrupted;
}

const QUESTIONS = ["fewShot", "fewShotFile", "out", "parallel"];
