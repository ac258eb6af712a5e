// Every shader compiles with no GPU at all, and every shader file is reachable from allKernels.
import { expect, test } from "vitest";
import { kernelLabel, shaderCode } from "../../engine/gpu/dispatch.ts";
import { allKernels } from "../../kernels/index.ts";
import { compact } from "../../scripts/wgsl-plugin.mjs";
import { openTestDevice } from "../helpers.ts";

test.each(allKernels.map((kernel) => [kernelLabel(kernel), kernel] as const))(
  "%s compiles",
  async (_, kernel) => {
    const device = await openTestDevice(["backend=null"]);
    // As it stands, and as a build has it.
    const built = { ...kernel, source: kernel.source.map(compact) };
    const [first] = kernel.testSizes as [object];
    const all = kernel.testSizes.map((size) => ({ size, code: shaderCode(kernel, size) }));
    for (const { size, code } of [...all, { size: first, code: shaderCode(built, first) }]) {
      const module = device.createShaderModule({ label: kernel.name, code });
      const { messages } = await module.getCompilationInfo();
      expect(
        messages
          .filter(({ type }) => type === "error")
          .map(({ lineNum, message }) => `${lineNum}: ${message}`),
      ).toEqual([]);
      await device.createComputePipelineAsync({
        layout: "auto",
        compute: { module, constants: kernel.constants(size) },
      });
    }
  },
);

test("no kernel stores more than 8 buffers or is listed twice", () => {
  const labels = allKernels.map(kernelLabel);
  expect(new Set(labels).size).toBe(labels.length);
  for (const kernel of allKernels)
    expect(kernel.bindings(kernel.testSizes[0]!).length, kernelLabel(kernel)).toBeLessThanOrEqual(8);
});

test("no shader file is left out of allKernels", () => {
  const files = import.meta.glob<string>("../../kernels/**/*.wgsl", {
    query: "?raw",
    import: "default",
    eager: true,
  });
  const used = new Set(allKernels.flatMap((kernel) => kernel.source));
  for (const [path, text] of Object.entries(files)) expect(used.has(text), path).toBe(true);
});
