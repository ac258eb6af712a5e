// Asks the questions of a file, several at once, and prints the accuracy.
import { createHash } from "node:crypto";
import {
  type Accuracies,
  accuracies,
  type ChoiceScores,
  judge,
  scoreChoices,
} from "../eval/multiple-choice.ts";
import type { Question } from "../eval/question.ts";
import { parseQuestions, type QuestionFile } from "../eval/question-file.ts";
import { ResultsFile } from "../eval/results-file.ts";
import { adapted } from "./adapted.ts";
import type { Context } from "./context.ts";
import type { Model } from "./engine.ts";
import { UsageError } from "./errors.ts";
import { EvalProgress } from "./eval-progress.ts";
import { readTextFile } from "./input.ts";
import { withModel } from "./open-model.ts";
import { adapterField, type LoadingOptions, withAdapter } from "./options.ts";
import { checkOutFile } from "./out-file.ts";

export interface QuestionOptions extends LoadingOptions {
  readonly file: string;
  readonly fewShot: number;
  readonly fewShotFile?: string;
  readonly out?: string;
  readonly parallel: number;
  readonly limit?: number;
}

/** The questions to ask, and the examples for each. */
interface Task {
  readonly format: string;
  readonly questions: readonly Question[];
  readonly examplesOf: (question: Question) => readonly Question[];
  /** SHA-256 of the two files. */
  readonly hashes: { readonly questions: string; readonly examples: string };
}

/** @returns false if Ctrl-C ended it before the last question */
export async function evaluateQuestions(context: Context, options: QuestionOptions): Promise<boolean> {
  const task = await readTask(options);
  if (options.out !== undefined) await checkOutFile(options.out);
  return withModel(
    context,
    options,
    async (model) => {
      const results = await openResults(task, model, options);
      const scores = new Map(results?.scores ?? []);
      await askAll(context, model, task, { ...options, scores, results });
      const answered = task.questions.flatMap((question, i) => {
        const found = scores.get(i);
        return found ? [judge(question, found)] : [];
      });
      if (answered.length > 0) print(context, task, accuracies(answered), answered.length, model, options);
      return answered.length === task.questions.length;
    },
    { parallel: options.parallel },
  );
}

async function readTask({ file, fewShot, fewShotFile, limit = Infinity }: QuestionOptions): Promise<Task> {
  const text = await readTextFile(file, "eval");
  const own = fewShotFile === undefined ? fewShot : 0;
  const { format, questions } = parseQuestions(text, file, own + limit);
  const asked = questions.slice(own);
  if (asked.length === 0)
    throw new UsageError(
      `eval ${file}: expected more questions than the ${own} of --few-shot, got ${questions.length}`,
    );
  const exampleText = fewShotFile === undefined ? "" : await readTextFile(fewShotFile, "--few-shot-file");
  if (exampleText === text)
    throw new UsageError(
      `--few-shot-file: expected other questions than ${file}, got the same: they hold the answers. Without it the first --few-shot rows of ${file} are the examples, and are not asked`,
    );
  const examples: QuestionFile =
    fewShotFile === undefined
      ? { format, questions: questions.slice(0, own) }
      : parseQuestions(exampleText, fewShotFile);
  if (examples.format !== format)
    throw new UsageError(`--few-shot-file: expected rows of ${format} as in ${file}, got ${examples.format}`);
  // MMLU: examples are of the question's subject.
  const examplesOf = ({ lead }: Question) =>
    examples.questions.filter((each) => each.lead === lead).slice(0, fewShot);
  const short = asked.findIndex((question) => examplesOf(question).length < fewShot);
  if (short >= 0) {
    const question = asked[short] as Question;
    const { length } = examplesOf(question);
    // MMLU's lead ends with the subject.
    const alike = question.lead ? `of the same subject (${question.lead.trim()}) ` : "";
    const which = `for question ${own + short + 1} of ${file}`;
    const advice =
      fewShotFile === undefined ? "--few-shot-file names a file of examples" : `Add some to ${fewShotFile}`;
    throw new UsageError(
      `--few-shot: expected ${fewShot} examples ${alike}${which}, got ${length}. ${advice}`,
    );
  }
  return {
    format,
    questions: asked,
    examplesOf,
    hashes: { questions: hashOf(text), examples: hashOf(exampleText) },
  };
}

const hashOf = (text: string): string => (text === "" ? "" : createHash("sha256").update(text).digest("hex"));

async function openResults(
  { hashes, questions }: Task,
  { plan }: Model,
  { out, fewShot, model = "embedded", adapterModel = [] }: QuestionOptions,
): Promise<ResultsFile | undefined> {
  if (out === undefined) return undefined;
  const { parameters, weights, cache, contextLength } = plan;
  const head = {
    ...hashes,
    fewShot,
    model,
    adapter: adapterModel
      .map(({ source, scale = 1 }) => (scale === 1 ? source : `${source} × ${scale}`))
      .join(", "),
    parameters,
    weights,
    cache,
    contextLength,
  };
  return ResultsFile.open(out, head, questions);
}

/** Asks the questions that have no scores yet, until Ctrl-C. */
async function askAll(
  context: Context,
  model: Model,
  { questions, examplesOf }: Task,
  options: QuestionOptions & {
    readonly scores: Map<number, ChoiceScores>;
    readonly results: ResultsFile | undefined;
  },
): Promise<void> {
  const { signal } = context.interrupts;
  const { parallel, scores, results, quiet = false } = options;
  const progress = new EvalProgress(context, quiet, questions.length, "questions", scores.size);
  const asked = adapted(model, options);
  let cut = 0;
  const ask = async (i: number, onCut = () => {}): Promise<ChoiceScores> => {
    const question = questions[i] as Question;
    return scoreChoices(asked, question, { examples: examplesOf(question), signal, onCut });
  };
  const missing = questions.map((_, i) => i).filter((i) => !scores.has(i));
  const worker = async () => {
    for (let i = missing.shift(); i !== undefined; i = missing.shift()) {
      try {
        let isCut = false;
        const found = await ask(i, () => {
          isCut = true;
        });
        scores.set(i, found);
        if (isCut) cut++;
        await results?.add(i, found);
      } catch (error) {
        // The other workers ask no more.
        missing.length = 0;
        throw error;
      }
      progress.show(scores.size);
    }
  };
  try {
    // A checkpoint may have changed behind its name: an answered question is asked again.
    const [known] = scores.keys();
    if (results && known !== undefined && known < questions.length) {
      const stored = scores.get(known) as ChoiceScores;
      if (!areNear(stored, await ask(known))) throw results.otherModel(known);
    }
    // All end before the results are counted: one may be writing its line when another is interrupted.
    const ended = await Promise.allSettled(Array.from({ length: parallel }, worker));
    const failed = ended.find((each) => each.status === "rejected");
    if (failed) throw failed.reason;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    progress.clear();
  }
  if (cut > 0)
    context.output.note(
      `warning: of the questions asked now ${cut} ${cut === 1 ? "was" : "were"} longer than the context of ${model.contextLength} tokens and lost the beginning. A larger --context has room`,
    );
}

/** Nats by which scores of one question may differ between adapters, for each nat of the score. */
const TOLERANCE = 0.02;

const areNear = (stored: ChoiceScores, now: ChoiceScores): boolean =>
  stored.every((score, i) => Math.abs(score - (now[i] as number)) <= TOLERANCE * Math.max(1, -score));

function print(
  { output }: Context,
  { format, questions }: Task,
  { acc, accNorm, accBytes }: Accuracies,
  answered: number,
  model: Model,
  options: QuestionOptions,
): void {
  const { plan, adapter } = model;
  const { json, quiet, fewShot } = options;
  if (json) {
    const figures = {
      ...{ acc: acc.value, accError: acc.error },
      ...{ accNorm: accNorm.value, accNormError: accNorm.error },
      ...{ accBytes: accBytes.value, accBytesError: accBytes.error },
    };
    const { weights, cache } = plan;
    const counts = { questions: questions.length, answered, fewShot };
    output.json({
      format,
      ...counts,
      ...figures,
      weights,
      cache,
      adapter: adapter.name,
      ...adapterField(options),
    });
    return;
  }
  const rows = Object.entries({ acc, acc_norm: accNorm, acc_bytes: accBytes });
  for (const [name, { value, error }] of rows)
    output.write(`${name.padEnd(10)} ${value.toFixed(4)}${error === null ? "" : ` ± ${error.toFixed(4)}`}\n`);
  const of = answered < questions.length ? ` of ${questions.length}` : "";
  if (!quiet)
    output.note(
      `${answered}${of} questions of ${format}, ${fewShot}-shot, ${plan.weights}${withAdapter(options)} on ${adapter.name}`,
    );
}
