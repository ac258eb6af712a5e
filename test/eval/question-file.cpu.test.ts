// The row formats of multiple-choice files, and files that are damaged.
import { describe, expect, test } from "vitest";
import { parseQuestions } from "../../eval/question-file.ts";

const lines = (...rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
const one = (row: unknown) => {
  const { format, questions } = parseQuestions(lines(row), "file");
  const { choices, answer, lead } = questions[0]!;
  const texts = choices.map(({ context, continuation }) => `${context}|${continuation}`);
  return { format, texts, answer, ...(lead && { lead }) };
};

const own = { question: "Which is red?", choices: ["a tomato", "grass"], answer: 0 };

describe("each format is recognised by its fields", () => {
  test("question, choices, answer: a number, a letter or the text", () => {
    const texts = ["a tomato", "grass"].map((text) => `Question: Which is red?\nAnswer:| ${text}`);
    for (const answer of [1, "B", "grass"])
      expect(one({ ...own, answer })).toEqual({ format: "question, choices, answer", texts, answer: 1 });
    // The text of a choice goes before a letter.
    expect(one({ question: "?", choices: ["B", "A"], answer: "B" }).answer).toBe(0);
  });

  test("ARC: labels are letters or numbers", () => {
    const choices = { text: ["no", "yes"], label: ["A", "B"] };
    const row = { id: "x", question: "Why?", choices, answerKey: "B" };
    const texts = ["Question: Why?\nAnswer:| no", "Question: Why?\nAnswer:| yes"];
    expect(one(row)).toEqual({ format: "ARC", texts, answer: 1 });
    const numbered = { ...row, choices: { ...choices, label: ["1", "2"] }, answerKey: "1" };
    expect(one(numbered).answer).toBe(0);
  });

  test("OpenBookQA: the stem is the context", () => {
    const choices = { text: ["deep sea", "sand"], label: ["A", "B"] };
    expect(one({ id: "7", question_stem: "Fish live in the", choices, answerKey: "A " })).toEqual({
      ...{ format: "OpenBookQA", answer: 0 },
      texts: ["Fish live in the| deep sea", "Fish live in the| sand"],
    });
  });

  test("AI2's own files of ARC and OpenBookQA: the id tells which", () => {
    const choices = [
      { text: "no", label: "A" },
      { text: "yes", label: "B" },
    ];
    const row = { id: "MCAS_2000_4_6", question: { stem: "Why?", choices }, answerKey: "B" };
    const arc = ["Question: Why?\nAnswer:| no", "Question: Why?\nAnswer:| yes"];
    expect(one(row)).toEqual({ format: "ARC of AI2", texts: arc, answer: 1 });
    const texts = ["Why?| no", "Why?| yes"];
    expect(one({ ...row, id: "7-980" })).toEqual({ format: "OpenBookQA of AI2", texts, answer: 1 });
  });

  test("HellaSwag: marks go, and ctx_b begins a sentence", () => {
    const row = {
      ...{ ind: 4, activity_label: "Baking", ctx_a: "A man mixes [step] dough.", ctx_b: "he THEN", ctx: "" },
      ...{ endings: ["bakes it.", "Wash up [title] Use water."], label: "1", source_id: "w~1" },
    };
    expect(one(row)).toEqual({
      ...{ format: "HellaSwag", answer: 1 },
      texts: [
        "Baking: A man mixes dough. He then| bakes it.",
        "Baking: A man mixes dough. He then| Wash up. Use water.",
      ],
    });
  });

  test("PIQA", () => {
    const row = { goal: "Open a jar", sol1: "turn the lid", sol2: "eat it", label: 0 };
    const texts = ["turn the lid", "eat it"].map((text) => `Question: Open a jar\nAnswer:| ${text}`);
    expect(one(row)).toEqual({ format: "PIQA", texts, answer: 0 });
  });

  test("WinoGrande: the rest of the sentence is scored after each option", () => {
    const sentence = "The cup did not fit the box, as _ was too large.";
    const row = { sentence, option1: "the cup", option2: "the box", answer: "1" };
    const before = "The cup did not fit the box, as the";
    expect(one(row)).toEqual({
      ...{ format: "WinoGrande", answer: 0 },
      texts: [`${before} cup| was too large.`, `${before} box| was too large.`],
    });
  });

  test("MMLU: the letters are scored, below a line about the subject", () => {
    const row = { question: " 1+1? ", subject: "abstract_algebra", choices: ["1", "2", "3", "4"], answer: 1 };
    const context = "1+1?\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer:";
    expect(one(row)).toEqual({
      ...{ format: "MMLU", answer: 1 },
      texts: ["A", "B", "C", "D"].map((letter) => `${context}| ${letter}`),
      lead: "The following are multiple choice questions (with answers) about abstract algebra.\n\n",
    });
  });
});

test("empty lines are skipped, the last line needs no end, and a limit is kept", () => {
  const { questions } = parseQuestions(`\n${lines(own)}\r\n${JSON.stringify(own)}`, "file");
  expect(questions).toHaveLength(2);
  // What comes after the limit is not read.
  expect(parseQuestions(`${lines(own)}broken`, "file", 1).questions).toHaveLength(1);
});

const arc = { question: "Why?", choices: { text: ["no", "yes"], label: ["A", "B"] }, answerKey: "B" };
const ai2 = { id: "1", question: { stem: "Why?", choices: [{ text: "no", label: "A" }] }, answerKey: "B" };
const two = {
  question: { stem: "Why?", choices: ["A", "B"].map((label) => ({ text: label, label })) },
  answerKey: "A",
};
const wino = { sentence: "_ is", option1: "a", option2: "b", answer: "1" };
test.each<[string, string, RegExp]>([
  ["nothing", "\n \n", /^file: expected a JSON object a line, got none\.$/],
  ["no JSON", `${lines(own)}{"question":`, /^file, line 2: expected a JSON object, got "\{/],
  ["a list", "[1]", /line 1: expected a JSON object/],
  ["null", "null", /line 1: expected a JSON object/],
  ["other fields", lines({ a: 1, b: 2 }), /line 1: expected the fields of ARC \(question, .*; got a, b\.$/],
  ["two formats", lines(own, wino), /line 2: expected a row of question, choices, answer .* got WinoGrande/],
  ["one choice", lines({ ...own, choices: ["a"] }), /line 1: expected 2 to 64 choices, got 1/],
  ["many choices", lines({ ...own, choices: Array(65).fill("a") }), /got 65/],
  ["an empty choice", lines({ ...own, choices: ["a", ""] }), /expected a choice 2 with text/],
  [
    "choices that are no list",
    lines({ ...own, choices: "ab" }),
    /choices: expected a list of texts, got "ab"/,
  ],
  ["a number among choices", lines({ ...own, choices: ["a", 5] }), /choices: expected a list of texts/],
  ["an answer beyond", lines({ ...own, answer: 2 }), /expected an answer among the 2 choices/],
  ["an answer below", lines({ ...own, answer: -1 }), /expected an answer among the 2 choices/],
  ["half an answer", lines({ ...own, answer: 0.5 }), /answer: expected the number .* got 0\.5/],
  [
    "another letter",
    lines({ ...own, answer: "C" }),
    /answer: expected a number from 0, a letter, or the text/,
  ],
  ["no label for the key", lines({ ...arc, answerKey: "C" }), /answerKey: expected one of A, B, got "C"/],
  [
    "labels missing",
    lines({ ...arc, choices: { text: ["a"] } }),
    /choices: expected \{ text: \[\.\.\.\], label/,
  ],
  ["choices that are null", lines({ ...arc, choices: null }), /choices: expected \{ text/],
  ["a key of AI2 without a label", lines(ai2), /answerKey: expected one of A, got "B"/],
  [
    "choices of AI2 without labels",
    lines({ ...ai2, question: { stem: "Why?", choices: [{ text: "no" }] } }),
    /question: expected \{ stem, choices/,
  ],
  [
    "a question of AI2 without choices",
    lines({ ...ai2, question: { stem: "Why?", choices: [] } }),
    /question: expected \{ stem, choices/,
  ],
  [
    "both of AI2",
    lines({ ...two, id: "x" }, { ...two, id: "7-1" }),
    /line 2: expected a row of ARC of AI2 .*, got OpenBookQA of AI2/,
  ],
  ["a question of AI2 that is null", lines({ ...ai2, question: null }), /question: expected \{ stem/],
  ["a question that is no text", lines({ ...arc, question: 5 }), /question: expected a text, got 5/],
  ["no gap", lines({ ...wino, sentence: "It is" }), /sentence: expected a gap, written as _, got "It is"/],
  ["an option 0", lines({ ...wino, answer: "0" }), /expected an answer among the 2 choices/],
  ["a test row without an answer", lines({ ...wino, answer: "" }), /answer: expected the number/],
  ["a prototype", '{"__proto__":{"question":"a","choices":[],"answer":0}}', /expected the fields of/],
])("%s is refused with its line", (_, text, message) => {
  expect(() => parseQuestions(text, "file")).toThrow(
    expect.objectContaining({ name: "EvaluationFileError", message: expect.stringMatching(message) }),
  );
});

test("a long line is named in short", () => {
  expect(() => parseQuestions("x".repeat(1e6), "file")).toThrow(/^.{0,120}$/);
});
