// The published row formats of multiple-choice benchmarks. A row's fields say which one it has. What the
// model reads is what EleutherAI's lm-evaluation-harness makes of a row in its tasks arc_easy, arc_challenge,
// hellaswag, mmlu, piqa, winogrande and openbookqa.
import { EvaluationFileError } from "./errors.ts";
import type { Choice, Question } from "./question.ts";

type Row = Readonly<Record<string, unknown>>;

interface RowFormat {
  readonly name: string;
  /** Fields by which it is recognised. */
  readonly fields: readonly string[];
  /** What its rows must have beside the fields. Default: nothing. */
  readonly is?: (row: Row) => boolean;
  readonly read: (fields: Fields) => Question;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Those with more fields come first: they have the fields of others, too. */
const FORMATS: readonly RowFormat[] = [
  {
    // allenai/ai2_arc; choices is { text: [], label: [] }, and the labels are A to E or 1 to 5.
    ...{ name: "ARC", fields: ["question", "choices", "answerKey"] },
    read: (row) => asked(`Question: ${row.text("question")}\nAnswer:`, ...row.labelled()),
  },
  {
    // allenai/openbookqa.
    ...{ name: "OpenBookQA", fields: ["question_stem", "choices", "answerKey"] },
    read: (row) => asked(row.text("question_stem"), ...row.labelled()),
  },
  {
    // The files that AI2 itself publishes of ARC and of OpenBookQA have the same fields; an OpenBookQA id is
    // two numbers, as in "7-980".
    ...{ name: "OpenBookQA of AI2", fields: ["id", "question", "answerKey"] },
    is: ({ id }) => typeof id === "string" && /^\d+-\d+$/.test(id),
    read: (row) => {
      const { stem, texts, labels } = row.stem();
      return asked(stem, texts, row.answerAmong(labels));
    },
  },
  {
    ...{ name: "ARC of AI2", fields: ["id", "question", "answerKey"] },
    read: (row) => {
      const { stem, texts, labels } = row.stem();
      return asked(`Question: ${stem}\nAnswer:`, texts, row.answerAmong(labels));
    },
  },
  {
    // Rowan/hellaswag.
    ...{ name: "HellaSwag", fields: ["activity_label", "ctx_a", "ctx_b", "endings", "label"] },
    read: (row) => {
      const context = `${row.text("ctx_a")} ${capitalized(row.text("ctx_b"))}`;
      return asked(
        withoutMarks(`${row.text("activity_label")}: ${context}`),
        row.texts("endings").map(withoutMarks),
        row.index("label"),
      );
    },
  },
  {
    // ybisk/piqa.
    ...{ name: "PIQA", fields: ["goal", "sol1", "sol2", "label"] },
    read: (row) =>
      asked(
        `Question: ${row.text("goal")}\nAnswer:`,
        [row.text("sol1"), row.text("sol2")],
        row.index("label"),
      ),
  },
  {
    // allenai/winogrande. The end of the sentence is scored after each option.
    ...{ name: "WinoGrande", fields: ["sentence", "option1", "option2", "answer"] },
    read: (row) => {
      const sentence = row.text("sentence");
      const gap = sentence.indexOf("_");
      if (gap < 0) throw row.wrong("sentence", "a gap, written as _", sentence);
      const end = sentence.slice(gap + 1).trim();
      const choices = ["option1", "option2"].map((option) => ({
        ...{ context: sentence.slice(0, gap) + row.text(option), continuation: ` ${end}`, text: end },
      }));
      return { choices, answer: row.index("answer") - 1 };
    },
  },
  {
    // cais/mmlu. The letters are scored.
    ...{ name: "MMLU", fields: ["question", "subject", "choices", "answer"] },
    read: (row) => {
      const texts = row.texts("choices");
      const options = texts.map((text, i) => `${LETTERS[i] ?? "?"}. ${text}\n`).join("");
      const letters = [...LETTERS].slice(0, texts.length);
      const subject = row.text("subject").replaceAll("_", " ");
      const lead = `The following are multiple choice questions (with answers) about ${subject}.\n\n`;
      return {
        ...asked(`${row.text("question").trim()}\n${options}Answer:`, letters, row.index("answer")),
        lead,
      };
    },
  },
  {
    ...{ name: "question, choices, answer", fields: ["question", "choices", "answer"] },
    read: (row) =>
      asked(`Question: ${row.text("question")}\nAnswer:`, row.texts("choices"), row.indexOrText("answer")),
  },
];

/** @param where file and line, for messages. @throws EvaluationFileError */
export function readRow(row: Row, where: string): { readonly format: string; readonly question: Question } {
  const format = FORMATS.find(
    ({ fields, is }) => fields.every((field) => Object.hasOwn(row, field)) && (is?.(row) ?? true),
  );
  if (format) return { format: format.name, question: format.read(new Fields(row, where)) };
  const known = FORMATS.map(({ name, fields }) =>
    name.includes(",") ? name : `${name} (${fields.join(", ")})`,
  );
  const got = Object.keys(row).slice(0, 12).join(", ").slice(0, 120) || "none";
  throw new EvaluationFileError(`${where}: expected the fields of ${known.join("; or ")}; got ${got}.`);
}

/** One context, and a blank before each choice. */
const asked = (context: string, texts: readonly string[], answer: number): Question => ({
  choices: texts.map((text): Choice => ({ context, continuation: ` ${text}`, text })),
  answer,
});

/** As Python's str.capitalize. */
const capitalized = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase();

/** HellaSwag's rows from WikiHow have marks such as [title] and [step]. */
const withoutMarks = (text: string): string =>
  text
    .trim()
    .replaceAll(" [title]", ". ")
    .replace(/\[.*?\]/g, "")
    .replaceAll("  ", " ");

/** The fields of a row, checked where they are read. */
class Fields {
  readonly #row: Row;
  readonly #where: string;

  constructor(row: Row, where: string) {
    this.#row = row;
    this.#where = where;
  }

  text(field: string): string {
    const value = this.#row[field];
    if (typeof value !== "string") throw this.wrong(field, "a text", value);
    return value;
  }

  texts(field: string): readonly string[] {
    const value = this.#row[field];
    if (!isTexts(value)) throw this.wrong(field, "a list of texts", value);
    return value;
  }

  /** A whole number, perhaps written as a text. */
  index(field: string): number {
    const value = this.#row[field];
    if (typeof value === "string" && /^\d{1,4}$/.test(value)) return Number(value);
    if (typeof value !== "number" || !Number.isInteger(value))
      throw this.wrong(field, "the number of the right answer", value);
    return value;
  }

  /** The answer as a number from 0, or as the text or the letter of a choice. */
  indexOrText(field: string): number {
    const value = this.#row[field];
    const texts = this.texts("choices");
    if (typeof value !== "string") return this.index(field);
    const at = texts.indexOf(value);
    const letter = value.length === 1 ? LETTERS.indexOf(value) : -1;
    if (at < 0 && (letter < 0 || letter >= texts.length))
      throw this.wrong(field, "a number from 0, a letter, or the text of a choice", value);
    return at < 0 ? letter : at;
  }

  /** Choices with labels in lists, and the index of the right one. */
  labelled(): [texts: readonly string[], answer: number] {
    const choices = this.#row["choices"];
    const { text, label } = Object(choices) as { readonly text?: unknown; readonly label?: unknown };
    if (!isTexts(text) || !isTexts(label) || text.length !== label.length)
      throw this.wrong("choices", "{ text: [...], label: [...] } of one length", choices);
    return [text, this.answerAmong(label)];
  }

  /** A question with its choices inside it. */
  stem(): { readonly stem: string; readonly texts: readonly string[]; readonly labels: readonly string[] } {
    const question = this.#row["question"];
    const { stem, choices } = Object(question) as { readonly stem?: unknown; readonly choices?: unknown };
    const each = (Array.isArray(choices) ? choices : []).map(
      (choice) => Object(choice) as { readonly text?: unknown; readonly label?: unknown },
    );
    const texts = each.map(({ text }) => text);
    const labels = each.map(({ label }) => label);
    if (typeof stem !== "string" || each.length === 0 || !isTexts(texts) || !isTexts(labels))
      throw this.wrong("question", "{ stem, choices: [{ text, label }] }", question);
    return { stem, texts, labels };
  }

  /** The index of the label in `answerKey`. */
  answerAmong(labels: readonly string[]): number {
    const answer = labels.indexOf(this.text("answerKey").trim());
    if (answer < 0) throw this.wrong("answerKey", `one of ${labels.join(", ")}`, this.#row["answerKey"]);
    return answer;
  }

  wrong(field: string, expected: string, got: unknown): EvaluationFileError {
    const shown = JSON.stringify(got) ?? "nothing";
    const cut = shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
    return new EvaluationFileError(`${this.#where}: ${field}: expected ${expected}, got ${cut}.`);
  }
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === "string");
