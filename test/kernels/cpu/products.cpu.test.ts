// The operations of matrix products against their kernels' references, in any partition of the work, and with
// weights in another heap.
import { expect, test } from "vitest";
import { kernelLabel } from "../../../engine/gpu/dispatch.ts";
import { instantiate } from "../../../kernels/cpu/compiled.ts";
import { compileModules } from "../../../kernels/cpu/modules.ts";
import {
  type Buffer,
  gateUp,
  type Kernel,
  matmul,
  matvec,
  qkv,
  quantizeInput,
  weightFormats,
} from "../../../kernels/index.ts";
import { compareBuffers } from "../contract.ts";
import { contents } from "../run-kernel.ts";
import { runOperation, sameBytes } from "./run-operation.ts";

const orders = ["natural", "even_odd"] as const;
const kernels = [
  ...orders.flatMap((order) => [quantizeInput(order), quantizeInput(order, "norm")]),
  ...Object.values(weightFormats).flatMap((format) => [
    matvec(format, "workgroup", "norm"),
    matmul(format, "tile"),
    ...(format.int8 ? [matmul(format, "tile_int8")] : []),
    ...(["none", "bias", "delta"] as const).flatMap((addend) =>
      (["workgroup", "stream_int8"] as const)
        .filter((variant) => variant === "workgroup" || format.int8)
        .flatMap((variant) => [
          matvec(format, variant, "plain", addend),
          gateUp(format, variant, addend),
          qkv(format, variant, addend),
        ]),
    ),
  ]),
] as Kernel[];

for (const kernel of kernels) {
  for (const size of kernel.testSizes)
    test(`${kernelLabel(kernel)} ${JSON.stringify(size)}`, () => {
      const host = kernel.bindings(size).map((binding, i) => contents(kernel, size, binding, i + 1));
      const results = runOperation(kernel, size, host, 1);
      const again = [2, 3].map((threads) => runOperation(kernel, size, host, threads));
      const far = [["weight", "scale"], ["weight"], ["scale"]].map((names) =>
        runOperation(kernel, size, host, 2, names),
      );
      const plain = runOperation(kernel, size, host, 1, [], false);
      kernel.reference(size, ...host);
      compareBuffers(kernel, size, results, host);
      for (const each of [...again, ...far, plain]) sameBytes(each, results);
    });
}

/** Rows that each take a part of a buffer. */
const rowOf = (buffer: Buffer, T: number, t: number): Buffer =>
  buffer.subarray((buffer.length * t) / T, (buffer.length * (t + 1)) / T);

for (const format of Object.values(weightFormats)) {
  const variants = format.int8 ? (["stream_int8", "workgroup"] as const) : (["workgroup"] as const);
  for (const variant of variants)
    test.each([
      { T: 7, N: 9, K: 1100 },
      { T: 3, N: 21, K: 2304 },
    ])(`a token of ${format.name} ${variant} has the same bits with others and alone: $T, $N, $K`, (size) => {
      const kernel = matvec(format, variant) as Kernel;
      const host = kernel.bindings(size).map((binding, i) => contents(kernel, size, binding, i + 1));
      const inputs = variant === "stream_int8" ? 2 : 1;
      const together = new Float32Array(runOperation(kernel, size, host, 1)[inputs]!);
      for (let t = 0; t < size.T; t++) {
        const own = host.map((buffer, i) => (i <= inputs ? rowOf(buffer, size.T, t) : buffer));
        const alone = new Float32Array(runOperation(kernel, { ...size, T: 1 }, own, 1)[inputs]!);
        expect(alone).toEqual(rowOf(together, size.T, t));
      }
    });
}

test("relaxed SIMD is used where it is known", async () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  const codeBytes = async (relaxed: boolean) =>
    instantiate(await compileModules(false, relaxed), memory).nibbleCodeBytes.value;
  expect([await codeBytes(true), await codeBytes(false)]).toEqual([1, 2]);
});

test("results of long rows that are added have the same bits with weights in another heap", () => {
  const kernel = matvec(weightFormats.q4, "stream_int8") as Kernel;
  const size = { T: 2, N: 40, K: 4224, add: true };
  const host = kernel.bindings(size).map((binding, i) => contents(kernel, size, binding, i + 1));
  const y = host[kernel.bindings(size).findIndex(({ writes }) => writes)]!;
  for (let i = 0; i < y.length; i++) y[i] = Math.sin(i);
  const far = runOperation(kernel, size, host, 1, ["weight", "scale"]);
  sameBytes(runOperation(kernel, size, host, 1), far);
});

test("inputs in another heap are an error", () => {
  const kernel = matvec(weightFormats.q4, "stream_int8") as Kernel;
  const size = { T: 1, N: 4, K: 128 };
  const host = kernel.bindings(size).map((binding, i) => contents(kernel, size, binding, i + 1));
  expect(() => runOperation(kernel, size, host, 1, ["codes"])).toThrow("first heap");
});
