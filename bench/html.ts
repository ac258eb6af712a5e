// A report as one self-contained page: tables and plots, light and dark.
import { headerLines, heading, pivot, rowCells } from "./format.ts";
import { type Bar, barPlot, escapeText, type Line, linePlot } from "./plot.ts";
import { type Report, type Result, type SuiteName, suiteNames } from "./result.ts";

const STYLE = `
:root { color-scheme: light dark; --ink: #1c1e21; --paper: #fdfdfc; --pale: #6a6f76; --rule: #e2e3e1; --c0: #2f6fb2; --c1: #c2571a; --c2: #3d8b4f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e3; --paper: #17191b; --pale: #9aa0a6; --rule: #34383c; --c0: #6aa7e6; --c1: #e88c4f; --c2: #74c188; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1080px; padding: 1rem; font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2.2rem; border-top: 1px solid var(--rule); padding-top: 1rem; }
h2 + p, .note { color: var(--pale); margin: 0.2rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.1rem 1rem; } dt { color: var(--pale); } dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: 0.25rem 0.8rem 0.25rem 0; text-align: right; border-bottom: 1px solid var(--rule); } th { color: var(--pale); font-weight: normal; }
.text { text-align: left; }
.plots { display: flex; flex-wrap: wrap; gap: 0 2rem; } figure { margin: 1rem 0 0; flex: 1 1 320px; max-width: 480px; } figcaption { font-weight: 600; margin-bottom: 0.4rem; }
svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--ink); }
.grid { stroke: var(--rule); } .range { stroke: var(--ink); stroke-width: 1.5; }
.fill0 { fill: var(--c0); } .fill1 { fill: var(--c1); } .fill2 { fill: var(--c2); }
.line0, .line1, .line2 { fill: none; stroke-width: 2; } .line0 { stroke: var(--c0); } .line1 { stroke: var(--c1); } .line2 { stroke: var(--c2); }
.band0, .band1, .band2 { opacity: 0.2; } .band0 { fill: var(--c0); } .band1 { fill: var(--c1); } .band2 { fill: var(--c2); }
`;

const ABOUT: Readonly<Record<SuiteName, string>> = {
  load: "Seconds to load a model.",
  decode: "Tokens a second by tokens in the cache. The limit is copy bandwidth divided by bytes per token.",
  prefill: "Tokens a second of a prompt.",
  kernels: "One launch of every kernel of a decode step and of a prefill chunk, and the adapter's limits.",
  attention: "One token's attention with the same query heads, and fewer and fewer key/value heads.",
  window: "Time of a token and size of the cache by position, with the model's window and without.",
  quality: "Perplexity of a text, size and speed of the weight formats.",
  claim:
    "Mistral 7B beside Llama 2 7B: bytes of a token, the most that the adapter's bandwidth allows, and what fits in memory. Plots: weights in bf16; speeds where bandwidth is the limit.",
  throughput:
    "Requests of mixed length in 1, 2, 4 … streams at once. Batch gain: tokens a second relative to one stream.",
  constrained:
    "Answers held to a JSON Schema, alone and beside free ones: tokens a second of an answer; the host's time for a mask.",
};

export function renderHtml(report: Report): string {
  const facts = headerLines(report).map(
    ([label, value]) => `<dt>${escapeText(label)}</dt><dd>${escapeText(value)}</dd>`,
  );
  const sections = suiteNames.flatMap((suite) => {
    const results = report.results.filter((result) => result.suite === suite);
    if (results.length === 0) return [];
    return `<section><h2>${suite}</h2><p>${escapeText(ABOUT[suite])}</p>
<div class="plots">${plots(suite, results).join("\n")}</div>
<div class="scroll">${tableOf(results)}</div></section>`;
  });
  const notes = report.notes.map((note) => `<p class="note">${escapeText(note)}</p>`);
  if (report.interrupted) notes.push(`<p class="note">Interrupted: some figures are missing.</p>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>sirocco bench: ${escapeText(report.server ? report.server.url : report.adapter.name)}</title><style>${STYLE}</style></head>
<body><h1>sirocco bench</h1><dl>${facts.join("")}</dl>
${sections.join("\n")}
${notes.join("\n")}
<p class="note">Medians. ± is the largest deviation of a run from the median, for a row's first figure.</p></body></html>
`;
}

function tableOf(results: readonly Result[]): string {
  const { params, names, rows } = pivot(results);
  const cell = (tag: "th" | "td") => (text: string, i: number) =>
    `<${tag}${i < params.length ? ' class="text"' : ""}>${escapeText(text)}</${tag}>`;
  const body = rows.map((row) => `<tr>${rowCells(row, params, names).map(cell("td")).join("")}</tr>`);
  const head = [...params, ...names.map(heading)].map(cell("th")).join("");
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join("\n")}</tbody></table>`;
}

/** The plots of a suite. */
function plots(suite: SuiteName, results: readonly Result[]): string[] {
  const named = (name: string) => results.filter((result) => result.name === name);
  const bars = (title: string, chosen: readonly Result[], label: (result: Result) => string) =>
    chosen[0]
      ? [
          barPlot(
            title,
            chosen[0].unit,
            chosen.map((result) => bar(result, label(result))),
          ),
        ]
      : [];
  const lines = (
    title: string,
    x: string,
    series: readonly (readonly [label: string, results: readonly Result[]])[],
  ) => {
    const unit = series[0]?.[1][0]?.unit;
    return unit
      ? [
          linePlot(
            title,
            unit,
            x,
            series.map(([label, each]) => line(label, each, x)),
          ),
        ]
      : [];
  };
  const by = (name: string, param: string, label: (value: string) => string) => {
    const values = [...new Set(named(name).map(({ params }) => String(params[param])))];
    return values.map(
      (value) => [label(value), named(name).filter(({ params }) => String(params[param]) === value)] as const,
    );
  };
  const param =
    (...names: string[]) =>
    (result: Result) =>
      names.map((name) => result.params[name] ?? "").join(", ");
  switch (suite) {
    case "load":
      return bars("Seconds", named("seconds"), param("from"));
    case "decode":
      return lines("Tokens a second", "context", [
        ["measured", named("tokensPerSecond")],
        ["copy bandwidth / bytes per token", named("limitTokensPerSecond")],
      ]);
    case "prefill":
      return bars(
        "Tokens a second",
        named("tokensPerSecond"),
        (result) => `${param("tokens")(result)} tokens`,
      );
    case "kernels":
      return ["decode", "prefill"].flatMap((pass) =>
        bars(
          `Share of a ${pass} pass`,
          named("shareOfPass").filter(({ params, median }) => params["pass"] === pass && median >= 0.005),
          (result) => `${param("kernel")(result)} ${param("shape")(result)}`,
        ),
      );
    case "attention":
      return bars(
        "Milliseconds a token",
        named("milliseconds"),
        (result) => `${param("kind")(result)}, ${param("heads")(result)}: ${param("kernel")(result)}`,
      );
    case "window": {
      const label = (value: string) => (value === "none" ? "no window" : `window ${value}`);
      return [
        ...lines(
          "Milliseconds a token",
          "position",
          by("millisecondsPerToken", "window", label).map(([a, b]) => [a, b]),
        ),
        ...lines(
          "Bytes of the cache",
          "position",
          by("cacheBytes", "window", label).map(([a, b]) => [a, b]),
        ),
      ];
    }
    case "quality":
      return [
        ...bars("Perplexity", named("perplexity"), param("weights", "cache", "text")),
        ...bars("Divergence from the first format", named("klMean"), param("weights", "cache", "text")),
        ...bars("Bytes of the weights", named("weightBytes"), param("weights", "cache")),
      ];
    case "claim": {
      const of = (name: string, setting: Result["params"]) =>
        by(name, "model", String).map(([label, each]) => {
          const isIn = ({ params }: Result) =>
            Object.entries(setting).every(([key, value]) => params[key] === value);
          return [label, each.filter(isIn)] as const;
        });
      const bf16 = { weights: "bf16" };
      const [one, eight, full] = [
        { ...bf16, streams: 1 },
        { ...bf16, streams: 8 },
        { ...bf16, memory: "24 GB" },
      ];
      return [
        ...lines("One answer: tokens a second over Llama 2's", "context", of("overLlama", one)),
        ...lines("8 answers at once: the same", "context", of("overLlama", eight)),
        ...lines("As many answers as 24 GB hold: the same", "context", of("overLlama", full)),
        ...lines("Answers that 24 GB hold", "context", of("answersThatFit", full)),
        ...lines("Bytes of keys and values that a token reads", "context", of("cacheBytesRead", one)),
        ...lines("Bytes that a token reads, with weights", "context", of("bytesPerToken", one)),
      ];
    }
    case "throughput":
      return [
        ...lines("Tokens a second", "streams", [["all streams together", named("tokensPerSecond")]]),
        ...lines("Milliseconds to the first token", "streams", [
          ["half of the requests", named("firstTokenP50")],
          ["19 of 20", named("firstTokenP95")],
        ]),
      ];
    case "constrained":
      return [
        ...bars(
          "Tokens a second of a free answer",
          named("freeTokensPerSecond"),
          param("free", "constrained"),
        ),
        ...bars(
          "Tokens a second of a constrained answer",
          named("constrainedTokensPerSecond"),
          param("free", "constrained"),
        ),
      ];
  }
}

const bar = ({ median, min, max }: Result, label: string): Bar => ({ label, median, min, max });

const line = (label: string, results: readonly Result[], x: string): Line => ({
  label,
  points: results.map(({ params, median, min, max }) => ({ x: Number(params[x]), median, min, max })),
});
