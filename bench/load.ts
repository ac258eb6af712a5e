// load: from the checkpoint, again with compiled pipelines, and from a quantised checkpoint.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LoadOptions } from "../engine/node.ts";
import { exactly, figure, repeat } from "./measure.ts";
import type { Bench, Suite } from "./suite.ts";

/** Interval at which the host's memory is sampled. */
const SAMPLE_MS = 10;

export const load: Suite = async (bench) => {
  const { engine, loaded, model, signal } = bench;
  const { plan } = loaded;
  const options: LoadOptions = { ...bench.load, weights: plan.weights, signal };
  bench.doing("cold");
  await measure(bench, "cold", () => engine.loadModel(model, options), plan.checkpointBytes);

  if (signal.aborted) return;
  bench.doing("with pipelines compiled");
  await loaded.measure(({ gpu }) =>
    measure(
      bench,
      "warm pipelines",
      () => engine.loadModel(model, { ...options, device: gpu.device }),
      plan.checkpointBytes,
    ),
  );

  if (signal.aborted) return;
  const folder = await mkdtemp(join(tmpdir(), "sirocco-bench-"));
  try {
    const weights = plan.weights === "q8" ? ("q8" as const) : ("q4" as const);
    bench.doing(`quantising as ${weights}`);
    const out = join(folder, weights);
    const { adapter } = bench.load;
    await engine.quantizeModel(model, {
      weights,
      out,
      signal,
      ...(adapter === undefined ? {} : { adapter }),
    });
    bench.doing(`from a checkpoint of ${weights}`);
    const packed = { ...options, weights };
    const { plan: small } = await disposed(engine.loadModel(out, packed));
    const read = small.checkpointBytes;
    await measure(bench, `quantised ${weights}`, () => engine.loadModel(out, packed), read);
  } catch (error) {
    // A packed checkpoint cannot be packed again.
    if ((error as Error).name !== "CheckpointError") throw error;
    bench.note(`load: ${(error as Error).message}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

async function measure(
  { budget, signal, add, loaded }: Bench,
  from: string,
  loadModel: () => ReturnType<Bench["engine"]["loadModel"]>,
  bytes: number,
): Promise<void> {
  let peak = 0;
  const seconds = await repeat(budget, signal, async () => {
    const idle = process.memoryUsage.rss();
    const look = () => {
      peak = Math.max(peak, process.memoryUsage.rss() - idle);
    };
    const timer = setInterval(look, SAMPLE_MS);
    const began = performance.now();
    try {
      await disposed(loadModel());
      look();
      return (performance.now() - began) / 1000;
    } finally {
      clearInterval(timer);
    }
  });
  const params = { from };
  add("seconds", "s", figure(seconds), params);
  add("megabytesPerSecond", "MB/s", figure(seconds.map((s) => bytes / s / 1e6)), params);
  add("checkpointBytes", "bytes", exactly(bytes), params);
  // A software driver keeps GPU buffers in this process.
  const what = loaded.adapter.software ? "peakHostAndGpuBytes" : "peakHostBytes";
  add(what, "bytes", exactly(peak), params);
}

async function disposed(loading: ReturnType<Bench["engine"]["loadModel"]>) {
  const model = await loading;
  model.dispose();
  return model;
}
