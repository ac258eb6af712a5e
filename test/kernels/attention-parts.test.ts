// A query that sees few keys gets the same bits from the list without attention_combine and from the one that
// splits keys into parts, whatever other rows the step has.
import { beforeAll, expect, test } from "vitest";
import {
  type AttentionVariant,
  attentionCombine,
  attentionSplits,
  attentionVariants,
  type Buffer,
  cacheFormats,
  padded,
  seesOnePart,
} from "../../kernels/index.ts";
import { openTestDevice } from "../helpers.ts";
import { contents, runKernel } from "./run-kernel.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openTestDevice();
});

/** Keys that fill one block, two, and a part of either; the last row needs parts. */
const POSITIONS = [0, 40, 127, 128, 200, 255, 600];
const [H, d] = [4, 8];

const variants = (Object.keys(attentionVariants) as AttentionVariant[]).filter(
  (name) => attentionVariants[name].splits,
);
const cases = variants.map((name) => [name, attentionVariants[name].decode(cacheFormats.f32, d)] as const);

test.each(cases)("%s: rows with one part", async (_, kernel) => {
  const rows = POSITIONS.length;
  const ring = { T: rows, B: rows, H, G: 2, d, S: 640, W: 0xffffffff, positions: POSITIONS };
  const size = { ...ring, store: true, SPLITS: attentionSplits(ring) };
  expect(size.SPLITS).toBeGreaterThan(4);
  const host = kernel.bindings(size).map((binding, i) => contents(kernel, size, binding, i + 1));
  const written = await runKernel(device, kernel, size, host);
  const combined = await runKernel(device, attentionCombine, size, [
    new Float32Array(written[3]!),
    host[2]!,
    new Float32Array(rows * padded(H * d)),
  ]);
  const split = new Uint32Array(combined[2]!);

  // The rows that a step without parts may have.
  const few = POSITIONS.findIndex((position) => !seesOnePart(position, ring.W));
  expect(few).toBe(rows - 1);
  const whole = { ...size, T: few, SPLITS: 1 };
  const ids = (host[2] as Uint32Array).slice(0, 4 * few);
  const out: Buffer = new Float32Array(few * padded(H * d));
  const results = await runKernel(device, kernel, whole, [host[0]!, host[1]!, ids, out]);
  const unsplit = new Uint32Array(results[3]!);
  expect(unsplit.some((word) => word !== 0)).toBe(true);
  expect(unsplit).toEqual(split.slice(0, unsplit.length));
});
