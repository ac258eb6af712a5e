// The tuner: what it measures, what it drops, what it remembers.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Buffers } from "../../engine/gpu/buffers.ts";
import { type Launch, loadShaders, Pipelines } from "../../engine/gpu/dispatch.ts";
import { borrowDevice } from "../../engine/gpu/gpu.ts";
import { mainMatrices, modelLayout } from "../../engine/graph/layout.ts";
import { modelShape } from "../../engine/graph/shape.ts";
import { loadModel, tuneModel } from "../../engine/node.ts";
import { BatchClock } from "../../engine/tuning/batch-clock.ts";
import {
  attentionContestants,
  chooseKernels,
  matmulCandidates,
  matvecCandidates,
} from "../../engine/tuning/kernel-choice.ts";
import { stepRows } from "../../engine/tuning/slots.ts";
import { tune } from "../../engine/tuning/tune.ts";
import { openAttention } from "../../engine/tuning/tune-attention.ts";
import { VariantBench } from "../../engine/tuning/variant-bench.ts";
import { cacheFormats, matvecVariants, type ShaderFile, weightFormats } from "../../kernels/index.ts";
import { formatsOf } from "../../weights/index.ts";
import { openTestDevice } from "../helpers.ts";

const folder = mkdtempSync(join(tmpdir(), "sirocco-tune-"));
const cacheHome = process.env["XDG_CACHE_HOME"];
beforeAll(() => {
  process.env["XDG_CACHE_HOME"] = folder;
});
afterAll(() => {
  if (cacheHome === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = cacheHome;
  rmSync(folder, { recursive: true, force: true });
});

const config = {
  ...{ L: 1, D: 64, F: 96, H: 4, G: 2, d: 16, V: 101, eps: 1e-5, W: 16 },
  ...{ maxPositions: 64, ropeTheta: 1e4, tied: false, eosTokenIds: [] },
} as unknown as Parameters<typeof modelShape>[0];

/** The WGSL files as one, with a fault in it. */
const replaced = (files: readonly ShaderFile[], right: string, wrong: string): readonly ShaderFile[] => [
  async () => (await loadShaders(files)).join("\n").replace(right, wrong),
];

test("variants with wrong numbers are dropped with the reason, the others are measured", async () => {
  const gpu = borrowDevice(await openTestDevice());
  const real = Pipelines.of(gpu.device);
  // q4's zero is 8: with another, every sum of this variant is off. What compiles slowly is refused.
  const broken = (launch: Launch): Launch => {
    const [kernel, ...rest] = launch;
    if (
      /group|tile|broadcast|stream$/.test(String(kernel.variant)) ||
      /^attention(_tile)?$/.test(kernel.name)
    )
      throw new Error("refused");
    if (kernel.variant !== "q4_lane_wide") return launch;
    const source = replaced(kernel.source, "ZERO_CODE = 8.0", "ZERO_CODE = 7.5");
    return [{ ...kernel, name: kernel.name, variant: "broken", source }, ...rest];
  };
  const pipelines = {
    prepare: async (launch: Launch) => real.prepare(broken(launch)),
  } as unknown as Pipelines;
  const format = weightFormats.q4;
  const kernels = chooseKernels(gpu.adapter, [format], 1e6);
  const cacheFormat = cacheFormats.f32;
  const shape = modelShape(config, { cacheFormat, kernels, contextLength: 64, chunkLength: 8, parallel: 2 });
  const matrices = mainMatrices(modelLayout(config, formatsOf("q4", config), 2 ** 30));
  const names: string[] = [];
  const { choice, measurements } = await tune(
    gpu,
    pipelines,
    { shape, matrices, weightBytes: 2 ** 20 },
    {
      budgetMs: 12_000,
      onProgress: ({ stage, name }) => names.push(`${stage} ${name}`),
    },
  );
  expect(names[0]).toBe(`tune decode gateUp ${kernels.matvec.gateUp}`);
  const first = measurements.filter(({ pass, role }) => pass === "decode" && role === "gateUp");
  expect(new Set(first.map(({ variant }) => variant))).toEqual(
    new Set(matvecCandidates(gpu.adapter, format)),
  );
  for (const { pass, role, variant, rows, microseconds, rejected } of measurements) {
    // lm_head is q8 beside q4: its lane_wide is another shader.
    if (variant === "lane_wide" && role !== "lmHead") {
      expect(rejected).toMatch(/^gives .* where plain arithmetic gives /);
      expect(microseconds).toBe(Infinity);
      expect(rows).toBe(1);
    } else if (/group|tile|broadcast|stream$/.test(variant)) {
      expect(rejected).toBe("refused");
    } else {
      expect(rejected, variant).toBeUndefined();
      expect(microseconds).toBeGreaterThan(0);
      expect(pass === "decode" ? [1, 2] : [8]).toContain(rows);
    }
  }
  // One variant for one row and for two: the one with the least geometric mean of its times.
  const products = matvecCandidates(gpu.adapter, format).flatMap((variant) => {
    const [one, two] = first.filter((each) => each.variant === variant);
    return two ? [{ variant, product: one!.microseconds * two.microseconds }] : [];
  });
  expect(products.length).toBeGreaterThan(0);
  const fastest = products.reduce((a, b) => (b.product < a.product ? b : a));
  expect(choice.matvec.gateUp).toBe(fastest.variant);
  expect(choice.matvec.gateUp).not.toBe("lane_wide");
  gpu.device.destroy();
});

test.each(["decode", "prefill"] as const)(
  "attention in %s: a variant that leaves out a key is dropped",
  async (pass) => {
    const gpu = borrowDevice(await openTestDevice());
    const real = Pipelines.of(gpu.device);
    const broken = ([kernel, ...rest]: Launch): Launch => {
      const source = replaced(kernel.source, "i <= p - first", "i < p - first");
      return [kernel.name === "attention_lane" ? { ...kernel, variant: "broken", source } : kernel, ...rest];
    };
    const pipelines = { prepare: (launch: Launch) => real.prepare(broken(launch)) } as unknown as Pipelines;
    const format = weightFormats.q4;
    const kernels = chooseKernels(gpu.adapter, [format], 1e9);
    const cacheFormat = cacheFormats.q8;
    const shape = modelShape(config, { cacheFormat, kernels, contextLength: 300, chunkLength: 8 });
    const made = new Buffers(gpu.device);
    const rowCounts = pass === "decode" ? [1] : [8];
    const attention = { pass, shape, keys: 200, rowCounts, rotatedBytes: 2 ** 17 };
    const clock = await BatchClock.open(gpu);
    const bench = new VariantBench(gpu, clock, made, await openAttention(gpu, pipelines, made, attention));
    expect(await bench.measure("workgroup", rowCounts[0]!)).toBeGreaterThan(0);
    expect(await bench.measure("lane", rowCounts[0]!)).toBe(Infinity);
    expect([...bench.rejections.keys()]).toEqual(["lane"]);
    expect(bench.rejections.get("lane")).toMatch(/^gives .* where plain arithmetic gives /);
    clock.close();
    made.destroy();
    gpu.device.destroy();
  },
);

test("a choice is remembered for its adapter and shapes; an unreadable one is measured again", async () => {
  // The null backend computes nothing, so any variant may pass there and be the fastest.
  const device = await openTestDevice(["backend=null"]);
  const tuned = await tuneModel(undefined, { device, weights: "q4" });
  expect(tuned.measurements.length).toBeGreaterThan(5 * 4);
  const files = () => readdirSync(join(folder, "sirocco", "tuning"));
  expect(files()).toHaveLength(1);
  const file = join(folder, "sirocco", "tuning", files()[0]!);
  expect(JSON.parse(readFileSync(file, "utf8")).choice).toEqual(tuned.choice);

  const stages = async (options: object) => {
    const seen = new Set<string>();
    const onProgress = ({ stage }: { stage: string }) => seen.add(stage);
    (await loadModel(undefined, { device, weights: "q4", onProgress, ...options })).dispose();
    return [...seen];
  };
  expect(await stages({ tune: true })).toEqual(["load"]);
  expect(await stages({ tune: true, weights: "q8" })).toEqual(["tune", "load"]);
  expect(files()).toHaveLength(2);
  const stored = JSON.parse(readFileSync(file, "utf8"));
  const { choice } = stored;
  for (const changed of [
    "{",
    "null",
    { ...stored, choice: { ...choice, attention: { decode: "lane" } } },
    { ...stored, choice: { ...choice, attention: { ...choice.attention, prefill: "gone" } } },
    { ...stored, choice: { ...choice, matvec: { ...choice.matvec, qkv: "gone" } } },
    // Of another adapter or model.
    { ...stored, name: "tuning-0123456789abcdef.json" },
  ]) {
    const text = typeof changed === "string" ? changed : JSON.stringify(changed);
    writeFileSync(file, text);
    expect(await stages({ tune: true }), text).toEqual(["tune", "load"]);
  }
  expect(await stages({ tune: true, parallel: 1 })).toEqual(["tune", "load"]);
  expect(await stages({ tune: true, parallel: 1 })).toEqual(["load"]);
  expect(files()).toHaveLength(3);
  // Not requested, and too small a model to tune by default.
  writeFileSync(file, "{");
  expect(await stages({})).toEqual(["load"]);
  expect(await stages({ tune: false })).toEqual(["load"]);
  device.destroy();
});

test("unmeasured, a GPU gets stream and workgroups, a software driver lanes, and a small model what compiles fast", () => {
  const gpu = {
    ...{ name: "", vendor: "", architecture: "", driver: "", software: false },
    ...{ features: ["subgroups"], subgroupSize: 8, maxBindingBytes: 1, maxBufferBytes: 1 },
    ...{ maxWorkgroupBytes: 2 ** 14, maxWorkgroupThreads: 256 },
  };
  const of = (adapter: typeof gpu, parameters: number) => {
    const { matvec, matmul, attention } = chooseKernels(adapter, [weightFormats.q4], parameters);
    return [matvec.qkv, matmul.lmHead, attention.decode];
  };
  expect(of(gpu, 7e9)).toEqual(["stream", "tile", "teams"]);
  expect(attentionContestants(gpu, "decode")).toEqual(["workgroup", "teams", "lane"]);
  expect(attentionContestants(gpu, "prefill")).toEqual(["workgroup", "lane"]);
  expect(of({ ...gpu, software: true }, 7e9)).toEqual(["lane_broadcast8", "lane_broadcast8", "lane"]);
  expect(of({ ...gpu, software: true }, 5e6)).toEqual(["lane", "lane", "lane"]);
  expect(of({ ...gpu, software: true, subgroupSize: 16 }, 7e9)).toEqual(["lane", "lane", "lane"]);
});

test("lossy variants are offered to lossy weights only; an unknown variant is named", async () => {
  const { adapter } = borrowDevice(await openTestDevice(["backend=null"]));
  const able = { ...adapter, features: ["shader-f16", "subgroups"], subgroupSize: 8 };
  expect(matmulCandidates(able, weightFormats.bf16)).toEqual(["tile", "lane", "lane_broadcast8"]);
  expect(matmulCandidates(able, weightFormats.f16)).toContain("tile_f16");
  expect(matmulCandidates(able, weightFormats.f16)).not.toContain("tile_int8");
  expect(matmulCandidates(able, weightFormats.q4)).toContain("tile_int8");
  expect(matvecCandidates({ ...able, features: [] }, weightFormats.q4)).not.toContain("subgroup");
  expect(matvecCandidates(able, weightFormats.q4)).not.toContain("lane_broadcast4");
  expect(matvecCandidates(able, weightFormats.q4)).toContain("stream_int8");
  expect(matvecCandidates(able, weightFormats.f16)).not.toContain("stream_int8");
  expect(() => chooseKernels(able, [weightFormats.f32], 1e9, { matmul: "tile_int8" })).toThrow(
    /kernels: expected matmul as one of tile, lane, lane_broadcast8, got tile_int8/,
  );
});

test("a variant that needs more workgroup memory or threads than an adapter has is no candidate", async () => {
  const { adapter } = borrowDevice(await openTestDevice(["backend=null"]));
  const variants = matvecVariants as Record<string, object>;
  const needs = { workgroupBytes: 2 ** 15, workgroupThreads: 512 };
  variants["needy"] = { ...matvecVariants.workgroup, ...needs };
  try {
    const limits = { maxWorkgroupBytes: 2 ** 15, maxWorkgroupThreads: 512 };
    expect(matvecCandidates({ ...adapter, ...limits }, weightFormats.q4)).toContain("needy");
    expect(
      matvecCandidates({ ...adapter, ...limits, maxWorkgroupBytes: 2 ** 14 }, weightFormats.q4),
    ).not.toContain("needy");
    expect(
      matvecCandidates({ ...adapter, ...limits, maxWorkgroupThreads: 256 }, weightFormats.q4),
    ).not.toContain("needy");
  } finally {
    delete variants["needy"];
  }
});

test("rows of decode steps: the most of each block size, up to the answers that run at once", () => {
  const all = [1, 2, 3, 5, 8, 16].map((parallel) => stepRows(parallel));
  expect(all).toEqual([[1], [1, 2], [1, 2, 3], [1, 2, 4, 5], [1, 2, 4, 8], [1, 2, 4, 8]]);
});
