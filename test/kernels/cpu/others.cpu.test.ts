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
import { randomU32 } from "../../random.ts";
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

test.each([["weight"], ["scale"], ["a"], ["a", "weight", "scale"]])(
  "rows with %j in another heap",
  (...far) => {
    for (const kernel of [embed(q4), doraGain(q4)] as Kernel[])
      checkOperation(kernel, kernel.testSizes[1]!, undefined, far);
  },
);

test("sample: many rows of every mode", () => {
  for (const mode of ["temperature", "topK", "topP", "minP", "mixed", "masked"] as const)
    checkOperation(sample as Kernel, { T: 24, B: 24, V: 1500, mode });
});

/** Rows of one kind each: any bits, one sign, far from zero, tiny, huge, few values. */
function rowsOfKinds(R: number, K: number): Uint32Array<ArrayBuffer> {
  const random = randomU32(11);
  const uniform = () => random() / 2 ** 32;
  const kinds = [
    () => uniform() + 0.5,
    () => -uniform() - 3,
    () => 1000 + uniform(),
    () => (uniform() - 0.5) * 1e-7,
    () => (uniform() - 0.5) * 2 ** (40 * uniform() - 20),
    () => (uniform() - 0.5) * 3e5,
    () => Math.round(3 * uniform()) - 1,
    () => (uniform() < 0.02 ? 50 : 0.01) * (uniform() - 0.4),
  ];
  const floats = new Float32Array(R * K);
  const bits = new Uint32Array(floats.buffer);
  for (let i = 0; i < R * K; i++) {
    const kind = kinds[Math.floor(i / K) % (kinds.length + 1)];
    if (kind) floats[i] = kind();
    else bits[i] = random();
  }
  return bits;
}

test.each(formats.filter(({ scaleWords }) => scaleWords(256) > 0))("rows of all kinds: $name", (format) => {
  const size = { R: 180, K: 523, N: 180, row0: 0 };
  const kernel = convert("F32", format) as Kernel;
  const host = kernel.bindings(size).map((binding, i) => contents(kernel, size, binding, i + 1));
  host[0]!.set(rowsOfKinds(size.R, size.K));
  checkOperation(kernel, size, host);
});
