import { architectureShader } from "./architecture-shader.ts";
import type { GatherCall } from "./cpu/gather.ts";
import { padded } from "./formats/format.ts";
import type { Kernel } from "./kernel.ts";
import { type InputSize, inputBindings } from "./matrix-input.ts";

/**
 * The input of a matrix whose columns are stored in another order. Under RMSNorm its gain as well: the norm
 * is the same in every order.
 */
export function gather(input: "plain" | "norm"): Kernel<InputSize> {
  const norm = input === "norm";
  return {
    name: "gather",
    variant: input,
    source: [architectureShader("gather"), architectureShader(norm ? "gatherNorm" : "gatherPlain")],
    testSizes: [
      { T: 1, K: 5 },
      { T: 3, K: 129 },
      { T: 2, K: 4096 },
    ],
    cpu: { op: "gather", input } satisfies GatherCall,
    bindings: (size) => [
      ...inputBindings(size, input),
      { name: "columns", slot: 2, type: "u32", length: padded(size.K) },
      { name: "gathered", slot: 3, type: "f32", length: size.T * padded(size.K), writes: true },
      ...(norm
        ? [{ name: "gathered_gain", slot: 4, type: "f32", length: padded(size.K), writes: true } as const]
        : []),
    ],
    constants: ({ K }) => ({ STRIDE: padded(K) }),
    workgroups: ({ T, K }) => [Math.ceil(padded(K) / 64), T],
    fill({ K }, name, random) {
      if (name !== "columns") return undefined;
      const columns = Uint32Array.from({ length: padded(K) }, (_, k) => k);
      for (let k = K - 1; k > 0; k--) {
        const other = random() % (k + 1);
        [columns[k], columns[other]] = [columns[other]!, columns[k]!];
      }
      return columns;
    },
    reference({ T, K }, x, ...buffers) {
      const [gain, columns, gathered, gatheredGain] = norm ? buffers : [undefined, ...buffers];
      for (let k = 0; k < padded(K); k++) {
        const column = columns![k]!;
        for (let t = 0; t < T; t++) gathered![t * padded(K) + k] = x![t * padded(K) + column]!;
        if (gain) gatheredGain![k] = gain[column]!;
      }
    },
  };
}
