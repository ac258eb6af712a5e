// Results that are continued: what is kept, what is refused.
import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import type { Question } from "../../eval/question.ts";
import { ResultsFile, type ResultsHead } from "../../eval/results-file.ts";

const head: ResultsHead = {
  ...{ questions: "abc", examples: "", fewShot: 0, model: "embedded", adapter: "", parameters: 5 },
  ...{ weights: "q4", cache: "f32", contextLength: 512 },
};
const choice = { context: "Q", continuation: " a", text: "a" };
const questions: Question[] = Array.from({ length: 3 }, () => ({ choices: [choice, choice], answer: 0 }));

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), "sirocco-eval-")), "out.jsonl");
});

test("begins, is added to, and goes on", async () => {
  const file = await ResultsFile.open(path, head, questions);
  expect(file.scores.size).toBe(0);
  await file.add(2, [-1, -2.5]);
  await file.add(0, [-3, -4]);
  const again = await ResultsFile.open(path, head, questions);
  expect([...again.scores]).toEqual([
    [2, [-1, -2.5]],
    [0, [-3, -4]],
  ]);
  // Fewer questions than before: the others stay in the file.
  expect([...(await ResultsFile.open(path, head, questions.slice(0, 1))).scores.keys()]).toEqual([0]);
  expect(readFileSync(path, "utf8").split("\n")).toHaveLength(4);
});

test("a last line that was cut off is dropped", async () => {
  const file = await ResultsFile.open(path, head, questions);
  await file.add(0, [-3, -4]);
  const whole = readFileSync(path, "utf8");
  appendFileSync(path, '{"question":1,"logPr');
  expect((await ResultsFile.open(path, head, questions)).scores.size).toBe(1);
  expect(readFileSync(path, "utf8")).toBe(whole);
});

test.each([
  ["questions", "abd"],
  ["examples", "x"],
  ["fewShot", 5],
  ["model", "other"],
  ["weights", "q8"],
  ["contextLength", 256],
])("another %s is noticed", async (name, value) => {
  await ResultsFile.open(path, head, questions);
  await expect(ResultsFile.open(path, { ...head, [name]: value }, questions)).rejects.toThrow(
    new RegExp(`out\\.jsonl: expected results for the same ${name}, .*Name another file, or delete this one`),
  );
});

test("other files are refused, and left as they are", async () => {
  for (const content of ["a letter", "{}\n", "[]\n", "null\n", '{"format":"other"}\n', "\n", "\u0000\n"]) {
    writeFileSync(path, content);
    await expect(ResultsFile.open(path, head, questions)).rejects.toThrow(/expected results of sirocco eval/);
    expect(readFileSync(path, "utf8")).toBe(content);
  }
});

test.each([
  "{}",
  "null",
  '{"question":0,"logProbs":[1]}',
  '{"question":0,"logProbs":[1,null]}',
  '{"question":0,"logProbs":{"length":2}}',
  '{"question":-1,"logProbs":[1,2]}',
  '{"question":0.5,"logProbs":[1,2]}',
  '{"question":"__proto__","logProbs":[1,2]}',
])("the line %s is refused", async (line) => {
  await ResultsFile.open(path, head, questions);
  appendFileSync(path, `${line}\n`);
  await expect(ResultsFile.open(path, head, questions)).rejects.toThrow(
    /line 2: expected a question's number/,
  );
});
