// A report as table and page; which files are accepted as reports.
import { describe, expect, test } from "vitest";
import { formatFigure, formatValue, threeDigits } from "../../bench/format.ts";
import { renderHtml } from "../../bench/html.ts";
import { barPlot, linePlot } from "../../bench/plot.ts";
import { parseReport, type Report, type Result, resultKey, suiteNames } from "../../bench/result.ts";
import { renderTable } from "../../bench/table.ts";
import { report, result } from "./report.ts";

test("values", () => {
  expect([0, 0.01234, 4.349, 43.49, 434.9, 67016].map(threeDigits)).toEqual([
    ...["0", "0.0123", "4.35", "43.5", "435", "67016"],
  ]);
  expect(formatValue(1_236_000_000, "bytes")).toBe("1.24 GB");
  expect(formatValue(999_700, "bytes")).toBe("1.00 MB");
  expect(formatValue(0.621, "of the limit")).toBe("62.1 %");
  expect(formatValue(1.01421, "times")).toBe("1.0142");
  expect(formatFigure(result())).toBe("50.0 ±4%");
  expect(formatFigure(result({ runs: 1 }))).toBe("50.0");
});

const results: Result[] = [
  result(),
  result({ name: "bytesPerToken", unit: "bytes", median: 9.65e6, min: 9.65e6, max: 9.65e6, runs: 1 }),
  result({ params: { context: 128 }, median: 40, min: 39, max: 44 }),
  result({
    suite: "attention",
    name: "milliseconds",
    unit: "ms",
    params: { kind: "multi-head", heads: "32 on 32" },
  }),
];

test("the table", () => {
  expect(renderTable({ ...report, results, notes: ["window: none"], interrupted: true })).toBe(
    `model     embedded: 5.28 M parameters as bf16
shape     L 6, D 256, F 704, H 8, G 2, d 32, V 2048, W 128
adapter   Paper GPU
driver    Fold 1.0
features  subgroups
limits    copy 100 GB/s, arithmetic 2000 GFLOP/s
runs      median of up to 5 within 1 s a figure; kernels by the GPU's clock
options   cache f32, kernels subgroup tile workgroup
sirocco   1.2.3, Node 20.0.0, linux x64, 2026-01-02

decode
context   tokens/s  bytes/token
      0   50.0 ±4%      9.65 MB
    128  40.0 ±10%

attention
kind        heads           ms
multi-head  32 on 32  50.0 ±4%

note: window: none

Interrupted: some figures are missing.
`,
  );
});

describe("the page", () => {
  test("asks for nothing, and holds every suite", () => {
    const html = renderHtml({ ...report, results });
    expect(html).not.toMatch(/https?:|src=|href=|@import|url\(|<script/);
    expect(html).toContain("<h2>decode</h2>");
    expect(html).toContain("<h2>attention</h2>");
    expect(html).not.toContain("<h2>prefill</h2>");
    expect(html.match(/<svg /g)).toHaveLength(2);
  });

  test("escapes what it did not write", () => {
    const evil = `<img src=x onerror="alert('1')">&`;
    const dirty: Report = {
      ...report,
      adapter: { ...report.adapter, name: evil, driver: evil, features: [evil] },
      model: { ...report.model, source: evil },
      notes: [evil],
      results: suiteNames.flatMap((suite) =>
        ["milliseconds", "tokensPerSecond", "shareOfPass", "seconds", "perplexity"].map((name) =>
          result({
            suite,
            name,
            params: {
              pass: "decode",
              kernel: evil,
              shape: evil,
              kind: evil,
              heads: evil,
              from: evil,
              weights: evil,
            },
          }),
        ),
      ),
    };
    const html = renderHtml(dirty);
    expect(html).not.toContain("<img");
    expect(html).toContain("&#60;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&#62;&#38;");
  });

  test("every tag that is opened is closed, and no number is NaN", () => {
    const all = suiteNames.flatMap((suite) =>
      ["milliseconds", "tokensPerSecond", "millisecondsPerToken", "cacheBytes", "seconds"].map((name) =>
        result({ suite, name, params: { context: 0, window: "none", position: 0, streams: 1 } }),
      ),
    );
    const html = renderHtml({ ...report, results: all });
    expect(html).not.toMatch(/NaN|Infinity|undefined/);
    for (const tag of ["svg", "figure", "table", "tr", "td", "text", "section", "dl", "p"])
      expect(html.match(new RegExp(`<${tag}[ >]`, "g"))?.length ?? 0, tag).toBe(
        html.split(`</${tag}>`).length - 1,
      );
  });
});

test("plots: lengths follow the numbers", () => {
  const bars = barPlot("t", "ms", [
    { label: "a", median: 10, min: 10, max: 10 },
    { label: "b", median: 5, min: 4, max: 6 },
  ]);
  const [long, short] = [...bars.matchAll(/width="([\d.]+)"/g)].map(([, width]) => Number(width));
  expect(long! / short!).toBeCloseTo(2);
  expect(bars.match(/class="range"/g)).toHaveLength(1);
  const point = (x: number, y: number) => ({ x, median: y, min: y, max: y });
  const lines = linePlot("t", "ms", "x", [{ label: "a", points: [point(0, 0), point(5, 5), point(10, 10)] }]);
  const at = [...lines.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
  expect(at[1]).toEqual([(at[0]![0]! + at[2]![0]!) / 2, (at[0]![1]! + at[2]![1]!) / 2]);
});

describe("parseReport", () => {
  test("gives back what was written", () => {
    expect(parseReport(JSON.stringify({ ...report, results }), "a.json")).toEqual({ ...report, results });
  });

  test.each([
    ["{", /a\.json: expected JSON/],
    ["null", /expected a report of schema 1, got schema none/],
    [JSON.stringify({ ...report, schema: 2 }), /got schema 2/],
    [JSON.stringify({ ...report, results: undefined }), /expected results/],
    [JSON.stringify({ ...report, results: [result(), { ...result(), unit: "furlongs" }] }), /results\[1\]/],
    [JSON.stringify({ ...report, results: [{ ...result(), median: null }] }), /results\[0\]/],
  ])("refuses %s", (text, message) => {
    expect(() => parseReport(text, "a.json")).toThrow(message);
  });
});

test("the key of a result is its suite, name and setting", () => {
  expect(resultKey(result({ params: { a: 1, b: 2 } }))).toBe(resultKey(result({ params: { b: 2, a: 1 } })));
  expect(resultKey(result())).not.toBe(resultKey(result({ params: { context: 1 } })));
  expect(resultKey(result())).not.toBe(resultKey(result({ suite: "prefill" })));
});
