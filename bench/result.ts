// What a run of the bench leaves behind: the schema of --json. bench/README.md describes it.
import type { AdapterDescription } from "../engine/api.ts";

/** One figure at one setting. A count that is the same every time has one run. */
export interface Result {
  readonly suite: SuiteName;
  /** What is measured, in camelCase: tokensPerSecond, bytesPerToken, … */
  readonly name: string;
  readonly unit: Unit;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  /** The setting: what tells this figure from others of the same name in the suite. */
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
  "throughput",
] as const;
export type SuiteName = (typeof suiteNames)[number];

/** Whether a larger number is the better one. */
const BETTER = {
  "tokens/s": 1,
  "requests/s": 1,
  "GB/s": 1,
  "MB/s": 1,
  "GFLOP/s": 1,
  "of the limit": 1,
  "of the pass": -1,
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

/** When, and by which program. */
interface Origin {
  readonly schema: 1;
  /** ISO 8601, when the run began. */
  readonly date: string;
  /** Of this package. */
  readonly version: string;
  readonly node: string;
  readonly platform: string;
}

/** Most runs of a figure, and the seconds after which no further one begins. */
interface Runs {
  readonly runs: number;
  readonly seconds: number;
}

/** Where figures of a model in this process come from. */
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
    /** The letters of ARCHITECTURE.md; W is null where there is no window. */
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
    /** Whether the driver's checks of indices were off. */
    readonly unsafeFast: boolean;
    /** Whose clock timed single kernels. */
    readonly kernelClock: "gpu" | "host";
  };
  /** Measured on this adapter in this run, or null where no suite needed them. */
  readonly limits: Limits | null;
}

/** Where figures of a server come from. What it runs on, it does not tell. */
export interface ServerHeader extends Origin {
  readonly server: {
    readonly url: string;
    /** The name that it was asked for. */
    readonly model: string;
    /** The call that was measured. */
    readonly endpoint: string;
  };
  readonly options: Runs;
}

export type Header = ModelHeader | ServerHeader;

/** What the adapter does at best, by the kernels `copy` and `multiply_add`. */
export interface Limits {
  /** Bytes read and written by a copy, a second, in 10⁹. */
  readonly copyGigabytesPerSecond: number;
  readonly peakGigaflopsPerSecond: number;
}

interface Findings {
  readonly results: readonly Result[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
  /** Ended by Ctrl-C: suites may be missing. */
  readonly interrupted: boolean;
  /** Suites that ended with an error; the notes say which. */
  readonly failed: readonly SuiteName[];
}

export type ModelReport = ModelHeader & Findings;
export type ServerReport = ServerHeader & Findings;
export type Report = ModelReport | ServerReport;

/** What makes two results the same measurement. */
export const resultKey = ({ suite, name, params }: Pick<Result, "suite" | "name" | "params">): string =>
  JSON.stringify([suite, name, Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))]);

/** @throws Error that names what is wrong with a file that is no report */
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
