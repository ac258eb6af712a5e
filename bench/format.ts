// Figures and headings as text.
import { CPU_ARCHITECTURE } from "../engine/gpu/cpu-architecture.ts";
import type { Header, Params, Result, Unit } from "./result.ts";

/** Column headings by the name of a figure. Default: the name itself. */
const HEADINGS: Readonly<Record<string, string>> = {
  tokensPerSecond: "tokens/s",
  freeTokensPerSecond: "free tokens/s",
  constrainedTokensPerSecond: "constrained tokens/s",
  timeOverFree: "time over free",
  freeTimeOverAllFree: "free, over all free",
  firstMaskMs: "first mask ms",
  maskP50: "mask p50 ms",
  maskP95: "mask p95 ms",
  requestsPerSecond: "requests/s",
  batchGain: "batch gain",
  firstTokenP50: "first p50 ms",
  firstTokenP95: "first p95 ms",
  betweenTokensP50: "between p50 ms",
  betweenTokensP95: "between p95 ms",
  limitTokensPerSecond: "limit",
  shareOfLimit: "of limit",
  gigabytesPerSecond: "GB/s",
  megabytesPerSecond: "MB/s",
  gigaflopsPerSecond: "GFLOP/s",
  shareOfCopyBandwidth: "of copy",
  shareOfPeak: "of peak",
  shareOfPass: "of pass",
  bytesPerToken: "bytes/token",
  bytesOverIdeal: "over ideal",
  dispatchesPerToken: "dispatches",
  hostMsPerToken: "host ms",
  allocationsPerToken: "allocations",
  milliseconds: "ms",
  millisecondsPerToken: "ms/token",
  seconds: "s",
  checkpointBytes: "checkpoint",
  peakHostBytes: "peak host",
  peakHostAndGpuBytes: "peak, with GPU",
  timeOverMultiHead: "of multi-head",
  cacheBytes: "K/V",
  cacheBytesRead: "K/V read",
  weightBytes: "weights",
  perplexityOverFirst: "over first",
  cacheBytesPerToken: "K/V a token",
  overLlama: "over Llama 2",
  answersThatFit: "answers that fit",
  topAgreement: "same top",
  klMean: "KL mean",
  klP99: "KL p99",
  attentionMs: "attention ms",
};

export const heading = (name: string): string => HEADINGS[name] ?? name;

/** "1.24 GB", "35.1", "62 %". Without a unit if the heading contains it. */
export function formatValue(value: number, unit: Unit): string {
  if (unit === "bytes") return formatBytes(value);
  if (["of the limit", "of the pass", "of the tokens"].includes(unit)) return `${threeDigits(100 * value)} %`;
  if (unit === "times one stream") return value.toFixed(2);
  if (unit === "perplexity" || unit === "times") return value.toFixed(4);
  if (unit === "count") return String(Math.round(1000 * value) / 1000);
  return threeDigits(value);
}

/** The median, and the largest deviation of a run from it, in per cent. */
export function formatFigure({ median, min, max, runs, unit }: Result): string {
  const text = formatValue(median, unit);
  if (runs === 1 || median === 0) return text;
  const spread = Math.max(max - median, median - min) / Math.abs(median);
  return `${text} ±${Math.ceil(100 * spread)}%`;
}

/** Three significant digits: 0.0123, 4.35, 43.5, 4350. */
export function threeDigits(exact: number): string {
  if (exact === 0) return "0";
  // Rounds first: 0.9997 becomes 1.00, which has fewer decimals.
  const value = Number(exact.toPrecision(3));
  const digits = 2 - Math.floor(Math.log10(Math.abs(value)));
  return (digits > 0 ? value : exact).toFixed(Math.max(0, Math.min(6, digits)));
}

/** Powers of 1000, as in GB/s. */
function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : threeDigits(value)} ${units[unit]}`;
}

/**
 * Results of a suite as a table: a row for each setting, a column for each name, in the order of measurement.
 */
export function pivot(results: readonly Result[]) {
  const names = [...new Set(results.map(({ name }) => name))];
  const params = [...new Set(results.flatMap((result) => Object.keys(result.params)))];
  const rows = new Map<string, { params: Params; cells: Map<string, Result> }>();
  for (const result of results) {
    const key = JSON.stringify(result.params);
    const row = rows.get(key) ?? { params: result.params, cells: new Map() };
    row.cells.set(result.name, result);
    rows.set(key, row);
  }
  return { params, names, rows: [...rows.values()] };
}

type Row = ReturnType<typeof pivot>["rows"][number];

/** A row as text. The figures of a row mostly have the same runs, so only the first shows their deviation. */
export function rowCells(
  { params, cells }: Row,
  paramNames: readonly string[],
  names: readonly string[],
): string[] {
  const spread = names.find((name) => (cells.get(name)?.runs ?? 1) > 1);
  return [
    ...paramNames.map((name) => String(params[name] ?? "")),
    ...names.map((name) => {
      const result = cells.get(name);
      if (!result) return "";
      return name === spread ? formatFigure(result) : formatValue(result.median, result.unit);
    }),
  ];
}

/** Lines of label and value: adapter, model and options of a report. */
export function headerLines(header: Header): [label: string, value: string][] {
  const sirocco = `${header.version}, Node ${header.node}, ${header.platform}, ${header.date.slice(0, 10)}`;
  const runs = `median of up to ${header.options.runs} within ${header.options.seconds} s a figure`;
  if (header.server) {
    const { url, endpoint, model } = header.server;
    return [
      ["server", `${url}${endpoint}`],
      ["model", model],
      ["runs", runs],
      ["sirocco", sirocco],
    ];
  }
  const { adapter, model, options, limits } = header;
  const { L, D, F, H, G, d, V, W } = model.shape;
  return [
    ["model", `${model.source}: ${threeDigits(model.parameters / 1e6)} M parameters as ${header.weights}`],
    ["shape", `L ${L}, D ${D}, F ${F}, H ${H}, G ${G}, d ${d}, V ${V}, W ${W ?? "none"}`],
    [
      "adapter",
      adapter.software && adapter.architecture !== CPU_ARCHITECTURE
        ? `${adapter.name}, a software driver`
        : adapter.name,
    ],
    ["driver", adapter.driver || `${adapter.vendor} ${adapter.architecture}`],
    ["features", adapter.features.join(", ") || "none"],
    [
      "limits",
      limits
        ? `copy ${threeDigits(limits.copyGigabytesPerSecond)} GB/s, arithmetic ${threeDigits(limits.peakGigaflopsPerSecond)} GFLOP/s`
        : "not measured",
    ],
    ["runs", `${runs}; kernels by the ${options.kernelClock === "gpu" ? "GPU's" : "host's"} clock`],
    [
      "options",
      `cache ${header.cache}, kernels ${options.kernels}${options.unsafeFast ? ", unsafe-fast: index checks off" : ""}`,
    ],
    ["sirocco", sirocco],
  ];
}
