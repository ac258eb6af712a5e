// Scores of questions as JSON lines: a head that says of what, then a line for each question, in the order in
// which they were answered. A run that was interrupted goes on with the questions that are missing.
import { appendFile, readFile, truncate, writeFile } from "node:fs/promises";
import { EvaluationFileError } from "./errors.ts";
import type { ChoiceScores } from "./multiple-choice.ts";
import type { Question } from "./question.ts";

/** What the scores depend on. */
export interface ResultsHead {
  /** SHA-256 of the questions' file. */
  readonly questions: string;
  /** SHA-256 of the examples' file; empty for none. */
  readonly examples: string;
  readonly fewShot: number;
  readonly model: string;
  /** Where its LoRA adapters are from, with their scales; empty for none. */
  readonly adapter: string;
  readonly parameters: number;
  readonly weights: string;
  readonly cache: string;
  readonly contextLength: number;
}

const FORMAT = "sirocco eval 1";
/** A file of this many bytes has other content. */
const MAX_BYTES = 2 ** 28;

export class ResultsFile {
  readonly #path: string;
  readonly scores: ReadonlyMap<number, ChoiceScores>;

  private constructor(path: string, scores: ReadonlyMap<number, ChoiceScores>) {
    this.#path = path;
    this.scores = scores;
  }

  /**
   * Reads the file, or begins it. A last line without an end was cut off, and is dropped.
   * @throws EvaluationFileError if it holds other results
   */
  static async open(path: string, head: ResultsHead, questions: readonly Question[]): Promise<ResultsFile> {
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return Buffer.alloc(0);
      throw error;
    });
    if (bytes.length > MAX_BYTES) throw wrong(path, "results of sirocco eval", `${bytes.length} bytes`);
    const whole = bytes.subarray(0, bytes.lastIndexOf(10) + 1);
    const [first, ...lines] = whole.toString("utf8").split("\n").slice(0, -1);
    if (first === undefined) {
      // What has no line is not ours to overwrite.
      if (bytes.length > 0) throw wrong(path, "results of sirocco eval", "another file");
      await writeFile(path, `${JSON.stringify({ format: FORMAT, ...head })}\n`);
      return new ResultsFile(path, new Map());
    }
    checkHead(path, first, head);
    if (whole.length < bytes.length) await truncate(path, whole.length);
    return new ResultsFile(
      path,
      new Map(lines.flatMap((line, i) => readLine(line, `${path}, line ${i + 2}`, questions))),
    );
  }

  /** The error for a model that scores a question otherwise than the file has it. */
  otherModel(question: number): EvaluationFileError {
    return wrong(this.#path, "results of this model", `other log-probabilities of question ${question + 1}`);
  }

  async add(question: number, logProbs: ChoiceScores): Promise<void> {
    await appendFile(this.#path, `${JSON.stringify({ question, logProbs })}\n`);
  }
}

function checkHead(path: string, line: string, head: ResultsHead): void {
  const stored = parse(line);
  if (stored["format"] !== FORMAT) throw wrong(path, "results of sirocco eval", "another file");
  for (const [name, value] of Object.entries(head))
    if (stored[name] !== value)
      throw wrong(
        path,
        `results for the same ${name}, ${value === "" ? "none" : value}`,
        String(JSON.stringify(stored[name])).slice(0, 80),
      );
}

function readLine(line: string, where: string, questions: readonly Question[]): [number, ChoiceScores][] {
  const { question, logProbs } = parse(line);
  const count = typeof question === "number" ? questions[question]?.choices.length : undefined;
  const isRight =
    Array.isArray(logProbs) &&
    logProbs.length === count &&
    logProbs.every((each) => typeof each === "number" && Number.isFinite(each));
  // A smaller --limit than before: the line is of a question that is not asked.
  const isBeyond = typeof question === "number" && Number.isInteger(question) && question >= questions.length;
  if (!isRight && !isBeyond) throw wrong(where, "a question's number and logProbs", line.slice(0, 80));
  return isBeyond ? [] : [[question as number, logProbs as ChoiceScores]];
}

function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(line)) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

const wrong = (where: string, expected: string, got: string): EvaluationFileError =>
  new EvaluationFileError(
    `${where}: expected ${expected}, got ${got}. Name another file, or delete this one.`,
  );
