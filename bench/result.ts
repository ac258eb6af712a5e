// The report of a run: the schema of --json, which bench/README.md describes.
import type { AdapterDescription } from "../engine/api.ts";

/** One figure at one setting. A value that is the same in every run has one run. */
export interface Result {
  readonly suite: SuiteName;
  /** What is measured, in camelCase: tokensPerSecond, bytesPerToken, … */
  readonly name: string;
  readonly unit: Unit;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  /** The setting: differs between figures of the same name in a suite. */
  readonly params: Params;
}

export type Params = Readonly<Record<string, string | number>>;

export const suiteNames = [
  "load",
  "decode",
  "prefill",
  "kernels",
  "attention",
  "window",
  "quality",
  "claim",
  "throughput",
  "constrained",
] as const;
export type SuiteName = (typeof suiteNames)[number];

/** 1: larger is better. -1: smaller is better. */
const BETTER = {
  "tokens/s": 1,
  "requests/s": 1,
  "GB/s": 1,
  "MB/s": 1,
  "GFLOP/s": 1,
  "of the limit": 1,
  "of the pass": -1,
  "of the tokens": 1,
  nats: -1,
  "times one stream": 1,
  times: -1,
  s: -1,
  ms: -1,
  bytes: -1,
  count: -1,
  perplexity: -1,
} as const;
export type Unit = keyof typeof BETTER;

export const betterWhen = (unit: Unit): 1 | -1 => BETTER[unit];

/** Date of the run, and versions. */
interface Origin {
  readonly schema: 1;
  /** ISO 8601, when the run began. */
  readonly date: string;
  /** Of this package. */
  readonly version: string;
  readonly node: string;
  readonly platform: string;
}

/** Maximum runs of a figure, and the seconds after which no further one begins. */
interface Runs {
  readonly runs: number;
  readonly seconds: number;
}

/** Adapter, model and options of a run in this process. */
export interface ModelHeader extends Origin {
  readonly server?: undefined;
  readonly adapter: Pick<
    AdapterDescription,
    "name" | "vendor" | "architecture" | "driver" | "software" | "features"
  >;
  readonly model: {
    /** As given with --model; "embedded" without. */
    readonly source: string;
    readonly parameters: number;
    /** The letters of ARCHITECTURE.md; W is null if there is no window. */
    readonly shape: Readonly<Record<"L" | "D" | "F" | "H" | "G" | "d" | "V", number>> & {
      readonly W: number | null;
    };
    readonly contextLength: number;
  };
  /** Format of the resident weights. */
  readonly weights: string;
  /** Format of keys and values. */
  readonly cache: string;
  readonly options: Runs & {
    /** Variants of the hot kernels: matrix times vector, matrix times matrix, attention. */
    readonly kernels: string;
    /** Whether the driver's index checks were off. */
    readonly unsafeFast: boolean;
    /** The clock for single kernels. */
    readonly kernelClock: "gpu" | "host";
  };
  /** Measured on this adapter in this run; null if no suite needed them. */
  readonly limits: Limits | null;
}

/** Server and options of a run with --url. The server's hardware is unknown. */
export interface ServerHeader extends Origin {
  readonly server: {
    readonly url: string;
    /** The model's name in requests. */
    readonly model: string;
    /** The path that was called. */
    readonly endpoint: string;
  };
  readonly options: Runs;
}

export type Header = ModelHeader | ServerHeader;

/** The adapter's limits, measured with the kernels `copy` and `multiply_add`. */
export interface Limits {
  /** Bytes that a copy reads and writes in a second, in 10⁹. */
  readonly copyGigabytesPerSecond: number;
  readonly peakGigaflopsPerSecond: number;
}

interface Findings {
  readonly results: readonly Result[];
  /** What was skipped, and why. */
  readonly notes: readonly string[];
  /** Stopped by Ctrl-C: suites may be missing. */
  readonly interrupted: boolean;
  /** Suites that ended with an error, which is in the notes. */
  readonly failed: readonly SuiteName[];
}

export type ModelReport = ModelHeader & Findings;
export type ServerReport = ServerHeader & Findings;
export type Report = ModelReport | ServerReport;

/** Equal for results of the same measurement. */
export const resultKey = ({ suite, name, params }: Pick<Result, "suite" | "name" | "params">): string =>
  JSON.stringify([suite, name, Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))]);

/** @throws Error if the file is not a report */
export function parseReport(text: string, file: string): Report {
  const wrong = (expected: string, got: string) =>
    new Error(`${file}: expected ${expected}, got ${got}. Write it with sirocco bench --json.`);
  let value: Partial<Report> | null;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong("JSON", "something else");
  }
  if (value?.schema !== 1) throw wrong("a report of schema 1", `schema ${value?.schema ?? "none"}`);
  if (!Array.isArray(value.results)) throw wrong("results", "none");
  for (const [i, result] of value.results.entries()) {
    const { suite, name, unit, median, min, max, params } = result as Partial<Result>;
    const whole =
      typeof suite === "string" &&
      typeof name === "string" &&
      unit !== undefined &&
      Object.hasOwn(BETTER, unit) &&
      [median, min, max].every((number) => Number.isFinite(number)) &&
      typeof params === "object" &&
      params !== null;
    if (!whole) throw wrong(`a result in results[${i}]`, JSON.stringify(result));
  }
  return value as Report;
}
