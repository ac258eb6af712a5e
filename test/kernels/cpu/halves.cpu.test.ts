// The bundle for browsers has no references (scripts/test-parts-plugin.mjs) to take the place of CPU halves.
import { expect, test } from "vitest";
import { allKernels } from "../../../kernels/index.ts";

test("every kernel has a CPU half", () => {
  expect(allKernels.filter(({ cpu }) => !cpu).map(({ name }) => name)).toEqual([]);
});
