// `sirocco eval` with the embedded model: figures, a run that is interrupted and goes on, what is refused.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadModel } from "../../engine/node.ts";
import { openTestDevice } from "../helpers.ts";
import { adapterTensors, floats } from "../weights/adapter-files.ts";
import { FakeEngine, Session, sirocco } from "./fakes.ts";

const folder = mkdtempSync(join(tmpdir(), "sirocco-eval-"));
const written = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const ROWS: [goal: string, right: string, wrong: string][] = [
  ["Tom lost his toy. Tom felt very", "sad", "happy"],
  ["Lily saw the sun. The sun was", "bright and warm", "a sad fish"],
  ["Mom gave Ben a cake. Ben said:", "thank you", "the door eats"],
  ["The dog ran in the park. The dog was", "happy", "paper"],
];
const rows = (count: number): string =>
  Array.from({ length: count }, (_, i) => {
    const [goal, right, wrong] = ROWS[i % ROWS.length]!;
    return `${JSON.stringify({ goal: `${i}. ${goal}`, sol1: wrong, sol2: right, label: 1 })}\n`;
  }).join("");
const questions = written("piqa.jsonl", rows(8));
const text = written(
  "story.txt",
  "Once upon a time there was a little dog. The dog was happy. It ran in the park with a girl.\n".repeat(3),
);

let device: GPUDevice;
let engine: FakeEngine;
beforeAll(async () => {
  device = await openTestDevice();
  engine = Object.assign(new FakeEngine(), {
    loadModel: (source?: string, options = {}) => loadModel(source, { ...options, device }),
  });
});
afterAll(() => device?.destroy());

const mmlu = (part: number) =>
  JSON.stringify({ question: "a", subject: `part_${part}`, choices: ["b", "c"], answer: 0 });

const run = async (args: readonly string[]) => {
  const { code, stdout, stderr } = await sirocco(["eval", ...args], { engine });
  return { code, stdout, stderr };
};
const figures = async (args: readonly string[]) => JSON.parse((await run([...args, "--json"])).stdout);

describe("questions", () => {
  test("accuracies, with and without examples", async () => {
    const found = await figures([questions]);
    expect(found).toMatchObject({ format: "PIQA", questions: 8, answered: 8, fewShot: 0, cache: "f32" });
    // A model of children's stories knows better than chance.
    expect(found.acc).toBeGreaterThan(0.6);
    expect(found.accError).toBeCloseTo(Math.sqrt((found.acc * (1 - found.acc)) / 7), 10);
    const { code, stdout, stderr } = await run([questions, "--few-shot", "2", "--limit", "3"]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^acc {8}\d\.\d{4} ± .*\nacc_norm {3}\d.*\nacc_bytes {2}\d.*\n$/),
    });
    expect(stderr).toContain("3 questions of PIQA, 2-shot, bf16");
    expect(stderr).not.toContain("warning");
    const cut = await run([questions, "--few-shot", "2", "--limit", "3", "--context", "40"]);
    expect(cut.stderr).toMatch(
      /warning: of the questions asked now \d w.* longer than the context of 40 tokens .*--context/,
    );
  });

  test("the cache gives the scores of whole texts, with several questions at once", async () => {
    const out = join(folder, "scores.jsonl");
    await run([questions, "--few-shot", "1", "--limit", "4", "--parallel", "3", "--out", out]);
    const model = await loadModel(undefined, { device });
    const [example, ...asked] = rows(5)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const lines = readFileSync(out, "utf8")
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => JSON.parse(line));
    expect(lines.map(({ question }) => question).sort()).toEqual([0, 1, 2, 3]);
    for (const { question, logProbs } of lines) {
      const { goal, sol1, sol2 } = asked[question];
      const before = `Question: ${example.goal}\nAnswer: ${example.sol2}\n\nQuestion: ${goal}\nAnswer:`;
      const { length } = await model.encode(before);
      for (const [i, choice] of [sol1, sol2].entries()) {
        const { logProbs: all } = await model.score(await model.encode(`${before} ${choice}`));
        expect(logProbs[i]).toBeCloseTo(
          all.slice(length - 1).reduce((a, b) => a + b, 0),
          2,
        );
      }
    }
    model.dispose();
  });

  test("Ctrl-C prints what is there; the next run asks the rest", async () => {
    const [file, out] = [written("many.jsonl", rows(24)), join(folder, "resumed.jsonl")];
    const session = new Session(["eval", file, "--out", out], { engine });
    const lines = () => (existsSync(out) ? readFileSync(out, "utf8").split("\n").length - 2 : 0);
    while (lines() < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    session.interrupt();
    expect(await session.exit).toBe(130);
    const before = lines();
    expect(before).toBeLessThan(24);
    expect(session.stdout).toMatch(/^acc /);
    expect(session.stderr).toContain(`${before} of 24 questions`);
    const stored = readFileSync(out, "utf8");
    expect(await figures([file, "--out", out])).toMatchObject({ answered: 24 });
    // What was answered stays; the rest comes after it.
    expect(readFileSync(out, "utf8").startsWith(stored)).toBe(true);
    expect(lines()).toBe(24);
    expect(await figures([file, "--out", out])).toEqual(await figures([file]));
  });

  test("results of other questions, formats or weights are refused", async () => {
    const out = join(folder, "mine.jsonl");
    await run([questions, "--limit", "2", "--out", out]);
    const stored = readFileSync(out, "utf8");
    const other = written("other.jsonl", rows(3));
    expect((await run([other, "--out", out])).stderr).toMatch(
      /mine.jsonl: expected results for the same questions/,
    );
    expect((await run([questions, "--out", out, "-w", "q4"])).stderr).toMatch(
      /the same weights, q4, got "bf16"/,
    );
    // A checkpoint that has changed behind its name.
    writeFileSync(out, stored.replace(/"logProbs":\[-\d+/, '"logProbs":[-99'));
    const changed = await run([questions, "--out", out]);
    expect(changed.code).toBe(1);
    expect(changed.stderr).toMatch(
      /expected results of this model, got other log-probabilities of question 1\./,
    );
  });
});

describe("text", () => {
  test("perplexity by windows; by one window it is score's", async () => {
    const found = await figures(["--perplexity", text]);
    const model = await loadModel(undefined, { device });
    const content = readFileSync(text, "utf8");
    const { perplexity, logProbs } = await model.score(await model.encode(content));
    model.dispose();
    expect(found.perplexity).toBeCloseTo(perplexity, 2);
    expect(found.tokens).toBe(logProbs.length);
    const words = content.split(/\s+/).length;
    expect(Math.log(found.wordPerplexity) * words).toBeCloseTo(Math.log(perplexity) * logProbs.length, 1);
    const short = await figures(["--perplexity", text, "--max-length", "10"]);
    expect(short.tokens).toBe(found.tokens);
    expect(short.perplexity).toBeGreaterThan(found.perplexity);
    const shared = await figures(["--perplexity", text, "--max-length", "10", "--overlap", "6"]);
    expect(shared.perplexity).toBeLessThan(short.perplexity);
    // A part of a text has no words.
    const part = await figures(["--perplexity", text, "--limit", "5"]);
    expect([part.tokens, part.wordPerplexity]).toEqual([5, undefined]);
  });

  test("a model without a token in front scores the first of the text, too", async () => {
    const gguf = new URL("../golden/formats/gguf_qwen2_q4_0/tiny-Q4_0.gguf", import.meta.url).pathname;
    const model = await loadModel(gguf, { device });
    const ids = await model.encode(readFileSync(text, "utf8"));
    const { bosToken } = await model.tokenizerInfo();
    const prefix = await model.encode(bosToken!);
    expect([prefix.length, ids[0] === prefix[0]]).toEqual([1, false]);
    const { perplexity } = await model.score([...prefix, ...ids]);
    const [first] = ids;
    const one = written("one.txt", await model.decode([first!]));
    model.dispose();
    const found = await figures(["--perplexity", text, "-m", gguf]);
    expect(found.tokens).toBe(ids.length);
    expect(found.perplexity / perplexity).toBeCloseTo(1, 3);
    expect(await figures(["--perplexity", one, "-m", gguf])).toMatchObject({ tokens: 1 });
    const against = ["--against", "f32", "--limit", "3"];
    expect(await figures(["--perplexity", text, "-m", gguf, ...against])).toMatchObject({ tokens: 3 });
    const empty = await run(["--perplexity", written("empty.txt", ""), "-m", gguf]);
    expect(empty.stderr).toMatch(/empty.txt: expected a text with tokens to score, got none/);
  });

  test("without a token for the beginning, that of the end comes before the text", async () => {
    const tiny = join(folder, "no-bos");
    cpSync(new URL("../../weights/tiny-mistral", import.meta.url).pathname, tiny, { recursive: true });
    rmSync(join(tiny, "tokenizer.model"));
    rmSync(join(tiny, "special_tokens_map.json"));
    writeFileSync(join(tiny, "tokenizer_config.json"), JSON.stringify({ eos_token: "</s>" }));
    const tokenizer = JSON.parse(readFileSync(join(tiny, "tokenizer.json"), "utf8"));
    writeFileSync(join(tiny, "tokenizer.json"), JSON.stringify({ ...tokenizer, post_processor: null }));
    const model = await loadModel(tiny, { device });
    expect(await model.tokenizerInfo()).toMatchObject({ eosToken: "</s>" });
    expect(await model.tokenizerInfo()).not.toHaveProperty("bosToken");
    const ids = await model.encode(readFileSync(text, "utf8"));
    const { perplexity } = await model.score([2, ...ids]);
    model.dispose();
    const found = await figures(["--perplexity", text, "-m", tiny]);
    expect(found.tokens).toBe(ids.length);
    expect(found.perplexity / perplexity).toBeCloseTo(1, 3);
  });

  test("--max-length has to fit the context", async () => {
    const args = ["--perplexity", text, "-c", "16", "--limit", "20"];
    expect(await figures(args)).toMatchObject({ maxLength: 15, tokens: 20 });
    expect(await figures([...args, "--max-length", "15"])).toMatchObject({ maxLength: 15 });
    const { code, stderr } = await run([...args, "--max-length", "16"]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining("--max-length: expected at most 15, one less than the context, got 16"),
    });
  });

  test("against another format, and against itself", async () => {
    const found = await figures(["--perplexity", text, "--against", "bf16", "-w", "q4", "--limit", "30"]);
    expect(found).toMatchObject({ against: "bf16", tokens: 30, weights: "q4" });
    expect(found.klMean).toBeGreaterThan(1e-4);
    expect(found.klMean).toBeLessThan(0.1);
    expect(found.klP99).toBeGreaterThan(found.klMean);
    expect(found.topAgreement).toBeGreaterThan(0.8);
    expect(found.perplexityRatio).toBeCloseTo(found.perplexity / found.referencePerplexity, 10);
    const same = await figures(["--perplexity", text, "--against", "bf16", "--limit", "10"]);
    expect(same).toMatchObject({ topAgreement: 1, perplexityRatio: 1 });
    expect(same.klMean).toBeLessThan(1e-9);
  });
});

describe("with an adapter", () => {
  const adapter = join(folder, "waves");
  const with_ = ["--adapter-model", adapter];
  beforeAll(async () => {
    const model = await loadModel(undefined, { device });
    const { D, F } = model.config;
    model.dispose();
    const module = "base_model.model.model.layers.0.mlp.down_proj";
    const wave = (i: number) => Math.sin(7 * i + 1);
    const tensors = [
      floats(`${module}.lora_A.weight`, [2, F], wave),
      floats(`${module}.lora_B.weight`, [D, 2], wave),
    ];
    mkdirSync(adapter);
    const config = { peft_type: "LORA", r: 2, lora_alpha: 2, target_modules: ["down_proj"] };
    writeFileSync(join(adapter, "adapter_config.json"), JSON.stringify(config));
    writeFileSync(join(adapter, "adapter_model.safetensors"), adapterTensors(tensors));
  });

  test("all figures are the adapter's; results name it", async () => {
    const [plain, adapted] = [
      await figures(["--perplexity", text]),
      await figures(["--perplexity", text, ...with_]),
    ];
    expect([plain.adapterModel, adapted.adapterModel]).toEqual([undefined, "waves"]);
    expect(adapted.perplexity).toBeGreaterThan(1.1 * plain.perplexity);
    const out = join(folder, "adapted.jsonl");
    const logProbs = async (args: readonly string[]) => {
      expect((await run([questions, "--limit", "2", "--out", out, ...args])).code).toBe(0);
      return readFileSync(out, "utf8").split("\n")[1];
    };
    const scored = await logProbs(with_);
    expect((await run([questions, "--limit", "2", "--out", out])).stderr).toMatch(
      /expected results for the same adapter, none, got ".*waves"/,
    );
    rmSync(out);
    expect(await logProbs([])).not.toBe(scored);
  });

  test("a reference in another format has it, the model itself as a reference has not", async () => {
    const against = (reference: string) =>
      figures(["--perplexity", text, "--limit", "10", "--against", reference, ...with_]);
    expect((await against("bf16")).klMean).toBeLessThan(1e-9);
    expect((await against("weights/tiny-mistral")).klMean).toBeGreaterThan(0.1);
  });

  test("windows fit the shorter context of a reference", async () => {
    const contexts = [4096, 24];
    const shorter = Object.assign(new FakeEngine(), {
      loadModel: (source?: string, options = {}) =>
        loadModel(source, { ...options, contextLength: contexts.shift()!, device }),
    });
    const args = ["eval", "--perplexity", text, "--against", "bf16", "--limit", "40", "--json"];
    const { code, stdout } = await sirocco(args, { engine: shorter });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ tokens: 40, topAgreement: 1 });
  });
});

test.each<[string[], RegExp]>([
  [[], /expected a file of questions or --perplexity with a text, got neither/],
  [[questions, "--perplexity", text], /got both/],
  [[questions, "--against", "q4"], /--against: expected --perplexity with it/],
  [["--perplexity", text, "--few-shot", "2"], /--few-shot: expected a file of questions with it/],
  [
    [questions, "--few-shot-file", questions],
    /--few-shot-file: expected --few-shot above 0 with it, as in --few-shot 5, got 0/,
  ],
  [["--perplexity", text, "--against", "q5"], /--against: expected a model, or a weight .*q4.*, got "q5"/],
  [[questions, "--out", folder], /--out: expected a file, got the folder "/],
  [
    [questions, "--out", join(folder, "none", "r.jsonl")],
    /--out: expected a file in a folder that is there, got ".*r.jsonl". Make ".*none" first/,
  ],
  [[questions, "--out", join(questions, "r.jsonl")], /--out: expected a file in a folder that is there/],
  [[questions, "--few-shot", "8"], /expected more questions than the 8 of --few-shot, got 8/],
  [
    [questions, "--few-shot", "3", "--few-shot-file", questions],
    /--few-shot-file: expected other questions than .*, got the same/,
  ],
  [
    [questions, "--few-shot", "3", "--few-shot-file", written("two.jsonl", rows(2))],
    /expected 3 examples for question 1 of .*, got 2. Add some to .*two\.jsonl/,
  ],
  [
    [written("mmlu.jsonl", [1, 1, 2].map(mmlu).join("\n")), "--few-shot", "1"],
    /1 examples of the same subject \(.*about part 2\.\) for question 3 of .*mmlu\.jsonl, got 0\. --few-shot-file/,
  ],
  [
    [
      questions,
      "--few-shot",
      "1",
      "--few-shot-file",
      written("own.jsonl", '{"question":"a","choices":["b","c"],"answer":0}'),
    ],
    /expected rows of PIQA/,
  ],
  [[written("broken.jsonl", `${rows(1)}{`)], /broken.jsonl, line 2: expected a JSON object/],
  [[join(folder, "missing")], /missing: cannot be read/],
])("%j is refused before a model is loaded", async (args, message) => {
  const none = new FakeEngine();
  const { code, stderr } = await sirocco(["eval", ...args], { engine: none });
  expect(code).toBeGreaterThan(0);
  expect(stderr).toMatch(message);
  expect(none.calls).toEqual([]);
});
