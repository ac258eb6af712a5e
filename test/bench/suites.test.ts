// Every suite on this driver, once and briefly, on a tiny model: checks that figures are plausible.
import { beforeAll, expect, test } from "vitest";
import { type ModelReport, type Result, type SuiteName, suiteNames } from "../../bench/result.ts";
import { runSuites } from "../../bench/run.ts";
import { loadModel, planModel, quantizeModel } from "../../engine/node.ts";

const folder = new URL("../golden/families/window_7", import.meta.url).pathname;
let report: ModelReport;
const progress: string[] = [];

const measure = (names: readonly SuiteName[], model: string | undefined) =>
  runSuites({
    engine: { loadModel, planModel, quantizeModel },
    names,
    request: {
      ...{ model, load: {}, budget: { runs: 2, seconds: 0 }, text: undefined },
      streams: { streams: [1, 2], requests: 3, promptTokens: 9, answerTokens: 4 },
    },
    version: "0.0.0",
    signal: new AbortController().signal,
    onProgress: (what) => progress.push(what),
  });
beforeAll(async () => {
  report = await measure(suiteNames, folder);
}, 600_000);

const find = (suite: string, name: string): Result[] =>
  report.results.filter((result) => result.suite === suite && result.name === name);

test("a suite that cannot run does not stop the others", () => {
  // This model has no tokenizer.
  expect(report.failed).toEqual(["quality"]);
  expect(report.notes.join()).toMatch(/quality: .*tokenizer\.json/);
  expect(report.notes.join()).toMatch(/constrained: the tokens of this model have no texts/);
  expect([...new Set(report.results.map(({ suite }) => suite))]).toEqual(
    suiteNames.filter((name) => name !== "quality" && name !== "constrained"),
  );
  expect(progress).toEqual(expect.arrayContaining(["loading the model", "decode: context 7"]));
});

test("every figure is a number, its median between its runs", () => {
  for (const { suite, name, median, min, max, runs } of report.results) {
    const figure = `${suite} ${name}`;
    expect(Number.isFinite(median) && min <= median && median <= max && runs >= 1, figure).toBe(true);
    expect(median, figure).toBeGreaterThanOrEqual(0);
  }
  expect(report.limits!.copyGigabytesPerSecond).toBeGreaterThan(0);
  expect(report.limits!.peakGigaflopsPerSecond).toBeGreaterThan(0);
});

test("decode: a token makes nothing, and its limit is bandwidth over bytes", () => {
  const contexts = find("decode", "tokensPerSecond").map(({ params }) => params["context"]);
  expect(contexts).toEqual([0, 3, 7, 28]);
  for (const { median } of find("decode", "allocationsPerToken")) expect(median).toBe(0);
  const [bytes] = find("decode", "bytesPerToken");
  const [limit] = find("decode", "limitTokensPerSecond");
  expect(limit!.median * bytes!.median).toBeCloseTo(report.limits!.copyGigabytesPerSecond * 1e9, -3);
});

test("attention: keys and values of multi-head to grouped-query are 4 to 1", () => {
  const all = find("attention", "cacheBytesRead");
  const kernels = new Set(all.map(({ params }) => params["kernel"]));
  expect(kernels.size).toBe(report.adapter.software ? 2 : 1);
  for (const kernel of kernels) {
    const read = all.filter(({ params }) => params["kernel"] === kernel);
    expect(read.map(({ params }) => params["heads"])).toEqual(["32 on 32", "32 on 8", "32 on 1"]);
    expect(read[0]!.median / read[1]!.median).toBe(4);
  }
});

test("window: the ring stays as it is, without one the cache grows", () => {
  const bytes = (window: string) =>
    find("window", "cacheBytes")
      .filter(({ params }) => params["window"] === window)
      .map(({ median }) => median);
  expect(new Set(bytes("7")).size).toBe(1);
  const without = bytes("none");
  expect(without.length).toBe(7);
  expect(without).toEqual(without.toSorted((a, b) => a - b));
  expect(without.at(-1)! / without[0]!).toBe(16 * 7 + 1);
});

test("claim: a quarter of the keys and values, four times the answers in memory, not four times as fast alone", () => {
  const setting = (model: string, weights: string, others: object) => (result: Result) =>
    Object.entries({ model, weights, ...others }).every(([name, value]) => result.params[name] === value);
  const [llama, mistral] = ["Llama 2 7B", "Mistral 7B, no window"] as const;
  const one = (name: string, model: string, weights: string, others: object) =>
    find("claim", name).find(setting(model, weights, others))!.median;
  const alone = { streams: 1, context: 4096 };
  // Two of 32 layers of 32 or 8 heads of 128 in two bytes.
  expect(one("cacheBytesPerToken", llama, "bf16", alone)).toBe(2 * 32 * 32 * 128 * 2);
  expect(one("cacheBytesPerToken", mistral, "bf16", alone)).toBe(2 * 32 * 8 * 128 * 2);
  // The weights of Llama 2 7B without the embedding, and 4096 tokens.
  const weights = 2 * (6_738_415_616 - 32_000 * 4096);
  expect(one("bytesPerToken", llama, "bf16", alone) / (weights + 4096 * 2 ** 19)).toBeCloseTo(1, 3);
  expect(one("overLlama", mistral, "bf16", alone)).toBeCloseTo(1.04, 2);
  const memory = { memory: "24 GB", context: 4096 };
  expect([llama, mistral].map((model) => one("answersThatFit", model, "bf16", memory))).toEqual([4, 17]);
  expect(one("overLlama", mistral, "bf16", memory)).toBeCloseTo(3.97, 2);
  expect(find("claim", "attentionMs").length).toBeGreaterThan(2);
});

test("load: from the checkpoint, with pipelines compiled, quantised", () => {
  expect(find("load", "seconds").map(({ params }) => params["from"])).toEqual([
    "cold",
    "warm pipelines",
    "quantised q4",
  ]);
});

test("throughput: every number of streams, and what they gain over one", () => {
  for (const name of ["requestsPerSecond", "tokensPerSecond", "firstTokenP50", "betweenTokensP95"])
    expect(find("throughput", name).map(({ params }) => params["streams"])).toEqual([1, 2]);
  const [one, two] = find("throughput", "tokensPerSecond");
  const gain = find("throughput", "batchGain");
  expect(gain.map(({ median }) => median)).toEqual([1, two!.median / one!.median]);
  // Every answer has four tokens: the end-of-sequence token does not end it.
  expect(one!.median / find("throughput", "requestsPerSecond")[0]!.median).toBeCloseTo(4);
  expect(report.notes.join()).toMatch(/throughput: prompts of \d+ to \d+ tokens/);
});

test("constrained: one alone, one beside a free one, all; and masks", async () => {
  const { results, failed } = await measure(["constrained"], undefined);
  expect(failed).toEqual([]);
  const of = (name: string) =>
    results
      .filter((result) => result.name === name)
      .map(({ params, median }) => {
        expect(median).toBeGreaterThan(0);
        return [params["free"], params["constrained"]];
      });
  expect(of("freeTokensPerSecond")).toEqual([
    [1, 0],
    [2, 0],
    [1, 1],
  ]);
  expect(of("constrainedTokensPerSecond")).toEqual([
    [0, 1],
    [1, 1],
    [0, 2],
  ]);
  expect(of("timeOverFree")).toEqual([
    [0, 1],
    [0, 2],
  ]);
  expect(of("freeTimeOverAllFree")).toEqual([[1, 1]]);
  for (const name of ["firstMaskMs", "maskP50", "maskP95"]) expect(of(name)).toHaveLength(1);
});
