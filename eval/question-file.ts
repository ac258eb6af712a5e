// Questions from JSON lines.
import { EvaluationFileError } from "./errors.ts";
import type { Question } from "./question.ts";
import { readRow } from "./rows.ts";

export interface QuestionFile {
  /** Name of the rows' format. */
  readonly format: string;
  readonly questions: readonly Question[];
}

/** Choices of one question. More are probably a damaged row. */
const MAX_CHOICES = 64;

/**
 * Reads JSON lines, a row each; empty lines are skipped. All rows have one format.
 * @param file its name, for messages
 * @param limit rows to read at most
 * @throws EvaluationFileError that names the line
 */
export function parseQuestions(text: string, file: string, limit = Infinity): QuestionFile {
  const questions: Question[] = [];
  let format: string | undefined;
  for (const [i, line] of text.split("\n").entries()) {
    if (questions.length >= limit) break;
    if (line.trim() === "") continue;
    const where = `${file}, line ${i + 1}`;
    const row = readRow(parseObject(line, where), where);
    format ??= row.format;
    if (row.format !== format)
      throw new EvaluationFileError(
        `${where}: expected a row of ${format} like those before, got ${row.format}.`,
      );
    const { question } = row;
    checkQuestion(question, where);
    questions.push(question);
  }
  if (format === undefined)
    throw new EvaluationFileError(`${file}: expected a JSON object a line, got none.`);
  return { format, questions };
}

function parseObject(line: string, where: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new EvaluationFileError(`${where}: expected a JSON object, got ${shortened(line)}.`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new EvaluationFileError(`${where}: expected a JSON object, got ${shortened(line)}.`);
  return value as Readonly<Record<string, unknown>>;
}

function checkQuestion({ choices, answer }: Question, where: string): void {
  const { length } = choices;
  if (length < 2 || length > MAX_CHOICES)
    throw new EvaluationFileError(`${where}: expected 2 to ${MAX_CHOICES} choices, got ${length}.`);
  if (!Number.isInteger(answer) || answer < 0 || answer >= length)
    throw new EvaluationFileError(`${where}: expected an answer among the ${length} choices, got another.`);
  const empty = choices.findIndex(({ text }) => text === "");
  if (empty >= 0)
    throw new EvaluationFileError(`${where}: expected a choice ${empty + 1} with text, got none.`);
}

const shortened = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
