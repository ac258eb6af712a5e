// Runs suites on a model, one after the other, and makes the report.
import type { KernelChoice } from "../engine/api.ts";
import { LoadedModel } from "../engine/model.ts";
import type { AdapterDescription, Model } from "../engine/node.ts";
import { MAX_AUTO_BYTES } from "../engine/resident/plan.ts";
import { attention } from "./attention.ts";
import { measureLimits } from "./bandwidth.ts";
import { claim } from "./claim.ts";
import { constrained } from "./constrained.ts";
import { decode } from "./decode.ts";
import { kernels } from "./kernels.ts";
import { load } from "./load.ts";
import { prefill } from "./prefill.ts";
import { quality } from "./quality.ts";
import type { Limits, ModelHeader, ModelReport, Result, SuiteName } from "./result.ts";
import type { Bench, BenchEngine, Request, Suite } from "./suite.ts";
import { throughput } from "./throughput.ts";
import { window } from "./window.ts";

const suites: Readonly<Record<SuiteName, Suite>> = {
  load,
  decode,
  prefill,
  kernels,
  attention,
  window,
  quality,
  claim,
  throughput,
  constrained,
};

export interface RunOptions {
  readonly engine: BenchEngine;
  readonly names: readonly SuiteName[];
  readonly request: Request;
  /** Version of this package. */
  readonly version: string;
  /** An abort ends the run after the current figure. */
  readonly signal: AbortSignal;
  readonly onProgress: (what: string) => void;
}

/**
 * The most streams asked for that fit, at least one: each has a ring, which may be large beside the weights.
 */
async function mostStreams({ engine, request }: RunOptions): Promise<number> {
  for (const parallel of request.streams.streams.toSorted((a, b) => b - a)) {
    try {
      const plan = await engine.planModel(request.model, { ...request.load, parallel });
      if (plan.totalBytes <= MAX_AUTO_BYTES) return parallel;
    } catch (error) {
      if ((error as Error).name !== "DeviceError") throw error;
    }
  }
  return 1;
}

/**
 * Runs suites. A suite that fails does not stop the next one: the report names it.
 * @throws if the model does not load, or the device is lost
 */
export async function runSuites(options: RunOptions): Promise<ModelReport> {
  const { engine, names, request, signal, onProgress } = options;
  const date = new Date().toISOString();
  onProgress("loading the model");
  const isShared = names.some((name) => name === "throughput" || name === "constrained");
  const parallel = isShared ? await mostStreams(options) : 1;
  const loaded = await engine.loadModel(request.model, { ...request.load, parallel, signal });
  if (!(loaded instanceof LoadedModel)) throw new TypeError("bench: expected the engine's own model.");
  try {
    const results: Result[] = [];
    const notes: string[] = [];
    const failed: SuiteName[] = [];
    let limits: Limits | null = null;
    for (const suite of names) {
      if (signal.aborted) break;
      const bench: Bench = {
        ...request,
        ...{ engine, loaded, signal },
        limits: async (gpu) => {
          onProgress(`${suite}: the adapter's limits`);
          limits ??= await measureLimits(gpu, request.budget, signal);
          return limits;
        },
        add: (name, unit, figure, params) => results.push({ suite, name, unit, ...figure, params }),
        note: (text) => notes.push(text),
        doing: (what) => onProgress(`${suite}: ${what}`),
      };
      try {
        onProgress(suite);
        await suites[suite](bench);
      } catch (error) {
        if (signal.aborted) break;
        if ((error as Error).name === "DeviceLostError") throw error;
        failed.push(suite);
        notes.push(`${suite}: ${(error as Error).message}`);
      }
    }
    const header = await headerOf(loaded, options, date);
    return { ...header, limits, results, notes, interrupted: signal.aborted, failed };
  } finally {
    loaded.dispose();
  }
}

const headerOf = (
  loaded: LoadedModel,
  { request, version }: RunOptions,
  date: string,
): Promise<Omit<ModelHeader, "limits">> =>
  loaded.measure(async ({ gpu, decoder }) => ({
    schema: 1,
    date,
    version,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    adapter: describeAdapter(loaded.adapter),
    model: {
      source: request.model ?? "embedded",
      parameters: loaded.plan.parameters,
      shape: lettersOf(loaded),
      contextLength: loaded.contextLength,
    },
    weights: loaded.plan.weights,
    cache: loaded.plan.cache,
    options: {
      ...request.budget,
      kernels: variantsOf(decoder.shape.kernels),
      unsafeFast: request.load.unsafeFast ?? false,
      kernelClock: gpu.device.features.has("timestamp-query") ? "gpu" : "host",
    },
  }));

/** The kernel variants in use, each once. */
const variantsOf = ({ matvec, matmul, attention }: KernelChoice): string =>
  [matvec, matmul, attention].map((roles) => [...new Set(Object.values(roles))].join("/")).join(" ");

const describeAdapter = ({
  name,
  vendor,
  architecture,
  driver,
  software,
  features,
}: AdapterDescription): ModelHeader["adapter"] => ({
  name,
  vendor,
  architecture,
  driver,
  software,
  features,
});

function lettersOf({ config: { L, D, F, H, G, d, V, W } }: Model): ModelHeader["model"]["shape"] {
  return { L, D, F, H, G, d, V, W };
}
