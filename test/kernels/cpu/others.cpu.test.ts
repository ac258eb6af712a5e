// The operations besides products and attention against their kernels' references, in any partition of the
// work.
import { test } from "vitest";
import { kernelLabel } from "../../../engine/gpu/dispatch.ts";
import { convert, type Kernel, sample, weightFormats } from "../../../kernels/index.ts";
import { checkOperation } from "./check-operation.ts";

const formats = Object.values(weightFormats);
const dtypes = ["F32", "F16", "BF16"] as const;

const kernels = [
  sample,
  ...formats.flatMap((format) => dtypes.map((dtype) => convert(dtype, format))),
] as Kernel[];

for (const kernel of kernels) {
  for (const size of kernel.testSizes)
    test(`${kernelLabel(kernel)} ${JSON.stringify(size)}`, () => checkOperation(kernel, size));
}
