// The operations besides products and attention against their kernels' references, in any partition of the
// work.
import { test } from "vitest";
import { kernelLabel } from "../../../engine/gpu/dispatch.ts";
import {
  convert,
  doraGain,
  embed,
  type Kernel,
  logProb,
  loraA,
  loraB,
  loraLookup,
  sample,
  weightFormats,
} from "../../../kernels/index.ts";
import { contents } from "../run-kernel.ts";
import { checkOperation } from "./check-operation.ts";

const formats = Object.values(weightFormats);
const dtypes = ["F32", "F16", "BF16"] as const;

const kernels = [
  sample,
  logProb,
  loraA("plain"),
  loraA("norm"),
  loraLookup,
  loraB("addend"),
  loraB("addend", "bias"),
  loraB("in_place"),
  ...formats.flatMap((format) => [embed(format), doraGain(format)]),
  ...formats.flatMap((format) => dtypes.map((dtype) => convert(dtype, format))),
] as Kernel[];

for (const kernel of kernels) {
  for (const size of kernel.testSizes)
    test(`${kernelLabel(kernel)} ${JSON.stringify(size)}`, () => checkOperation(kernel, size));
}

test("sample: NaN, infinities, subnormals and huge logits", () => {
  const size = { T: 3, B: 5, V: 257, mode: "temperature" } as const;
  const host = sample.bindings(size).map((binding, i) => contents(sample, size, binding, i + 1));
  const special = [NaN, Infinity, -Infinity, 3e38, -3.4e38, 1e-40, -1e-40, -0];
  for (let i = 0; i < host[0]!.length; i += 5) host[0]![i] = special[(i / 5) % special.length]!;
  checkOperation(sample as Kernel, size, host);
});

const { q4, q4a64, bf16 } = weightFormats;

test.each([
  embed(q4),
  doraGain(bf16),
  convert("BF16", q4),
  convert("F32", q4a64),
  convert("F16", bf16),
] as Kernel[])("$name $variant: weights in another heap", (kernel) =>
  checkOperation(kernel, kernel.testSizes[1]!, undefined, ["weight", "scale"]),
);

test("sample: many rows of every mode", () => {
  for (const mode of ["temperature", "topK", "topP", "minP", "mixed", "masked"] as const)
    checkOperation(sample as Kernel, { T: 24, B: 24, V: 1500, mode });
});
