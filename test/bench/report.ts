// A report for tests to print, compare and break.
import type { ModelReport, Result } from "../../bench/result.ts";

/** A figure, of decode at context 0 by default. */
export const result = (given: Partial<Result> = {}): Result => ({
  suite: "decode",
  name: "tokensPerSecond",
  unit: "tokens/s",
  ...{ median: 50, min: 48, max: 51, runs: 5 },
  params: { context: 0 },
  ...given,
});

export const report: ModelReport = {
  schema: 1,
  date: "2026-01-02T03:04:05.000Z",
  version: "1.2.3",
  node: "20.0.0",
  platform: "linux x64",
  adapter: {
    ...{ name: "Paper GPU", vendor: "acme", architecture: "origami", driver: "Fold 1.0" },
    ...{ software: false, features: ["subgroups"] },
  },
  model: {
    source: "embedded",
    parameters: 5_280_000,
    shape: { L: 6, D: 256, F: 704, H: 8, G: 2, d: 32, V: 2048, W: 128 },
    contextLength: 4096,
  },
  weights: "bf16",
  cache: "f32",
  options: { runs: 5, seconds: 1, kernels: "subgroup tile workgroup", unsafeFast: false, kernelClock: "gpu" },
  limits: { copyGigabytesPerSecond: 100, peakGigaflopsPerSecond: 2000 },
  results: [result()],
  notes: [],
  interrupted: false,
  failed: [],
};
