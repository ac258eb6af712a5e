// The operations of attention, and of what is beside it, against their kernels' references, in any partition
// of the work.
import { describe, expect, test } from "vitest";
import { kernelLabel } from "../../../engine/gpu/dispatch.ts";
import { instantiate } from "../../../kernels/cpu/compiled.ts";
import { compileModules } from "../../../kernels/cpu/modules.ts";
import { f16ToNumber } from "../../../kernels/formats/half.ts";
import {
  attentionCombine,
  attentionVariants,
  cacheFormats,
  coveringKernels,
  type Kernel,
  qkvStride,
} from "../../../kernels/index.ts";
import { randomU32 } from "../../random.ts";
import { compareBuffers } from "../contract.ts";
import { contents } from "../run-kernel.ts";
import { runOperation, sameBytes } from "./run-operation.ts";

const NAMES = /^(attention.*|rope_cache|qk_norm|rms_norm|swiglu|copy.*|gather|multiply_add)$/;

const hostBuffers = (kernel: Kernel, size: object) =>
  kernel.bindings(size).map((binding, i) => contents(kernel, size, binding, i + 1));

for (const kernel of coveringKernels.filter(({ name }) => NAMES.test(name))) {
  for (const size of kernel.testSizes)
    test(`${kernelLabel(kernel)} ${JSON.stringify(size)}`, () => {
      const host = hostBuffers(kernel, size);
      const results = runOperation(kernel, size, host, 1);
      const again = [2, 3].map((threads) => runOperation(kernel, size, host, threads));
      kernel.reference(size, ...host);
      compareBuffers(kernel, size, results, host);
      for (const each of again) sameBytes(each, results);
    });
}

const prefill = attentionVariants.lane.prefill(cacheFormats.q8) as Kernel;
const decode = attentionVariants.workgroup.decode(cacheFormats.q8, 32) as Kernel;

test("a cache in another heap gives the same bits", () => {
  for (const kernel of [prefill, decode]) {
    for (const size of kernel.testSizes) {
      const host = hostBuffers(kernel, size);
      sameBytes(runOperation(kernel, size, host, 2, ["cache"]), runOperation(kernel, size, host, 2));
    }
  }
});

test("a token of prefill has the same bits, whichever are computed with it", () => {
  const size = { T: 200, B: 1, H: 8, G: 2, d: 32, S: 460, W: 190, positions: [259], store: false };
  const [qkv, cache, rows, out] = hostBuffers(prefill, size);
  const together = new Float32Array(runOperation(prefill, size, [qkv!, cache!, rows!, out!], 1)[3]!);
  const width = out!.length / size.T;
  for (const t of [0, 1, 63, 64, 150, 199]) {
    const own = [
      qkv!.slice(t * qkvStride(size), (t + 1) * qkvStride(size)),
      cache!,
      rows!.slice(4 * t, 4 * t + 4),
      out!.slice(0, width),
    ];
    const alone = new Float32Array(runOperation(prefill, { ...size, T: 1 }, own, 1)[3]!);
    expect(alone).toEqual(together.slice(t * width, (t + 1) * width));
  }
});

test("a few keys have the same bits, whether their parts are combined or not", () => {
  const size = { T: 2, B: 2, H: 8, G: 2, d: 32, S: 700, W: 0xffffffff, positions: [255, 13] };
  const [whole, split] = [1, 4].map((SPLITS) => {
    const host = hostBuffers(decode, { ...size, SPLITS });
    return { rows: host[2]!, out: new Float32Array(runOperation(decode, { ...size, SPLITS }, host, 2)[3]!) };
  });
  const combined = runOperation(
    attentionCombine as Kernel,
    { ...size, SPLITS: 4 },
    [split!.out, split!.rows, new Float32Array(whole!.out.length)],
    2,
  )[2]!;
  expect(new Float32Array(combined)).toEqual(whole!.out);
});

describe("compiled functions", async () => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536 });
  const compiled = instantiate(await compileModules(false), memory);

  test("f16 is read exactly: all numbers, infinities, NaN", () => {
    const d = 1024;
    const halves = new Uint16Array(memory.buffer, 0, 64 * d).map((_, i) => i);
    new Uint16Array(memory.buffer).set(halves);
    const block = 2 ** 19;
    compiled.readF16(0, 2 * d, block, 0, 64, d / 4);
    const read = new Float32Array(memory.buffer, block, 64 * d);
    // f32 [8, vectors, 8, 4]
    const at = (row: number, i: number) =>
      read[(((row >> 3) * (d / 4) + (i >> 2)) * 8 + (row % 8)) * 4 + (i % 4)];
    for (let i = 0; i < 64 * d; i++) expect(at(Math.floor(i / d), i % d)).toBe(f16ToNumber(i));
  });

  test("e^x has a relative error of less than 2^-23", () => {
    const next = randomU32(1);
    const scores = new Float32Array(memory.buffer, 0, 1000 * 64).map((_, i) =>
      i % 64 === 0 ? 0 : (-87 * next()) / 2 ** 32,
    );
    new Float32Array(memory.buffer).set(scores);
    const state = 2 ** 19;
    new Float32Array(memory.buffer, state).fill(-1e30);
    compiled.softenBlock(0, 16, state, state + 2 ** 17, 1, 1000, 1000, 0, 64);
    const weights = new Float32Array(memory.buffer, 0, scores.length);
    const worst = Math.max(...scores.map((x, i) => Math.abs(weights[i]! / Math.exp(x) - 1)));
    expect(worst).toBeLessThan(2 ** -23);
  });
});
