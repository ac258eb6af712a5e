// Measures a matrix of the model's width in all variants. The model's own may have more rows.
import {
  type Kernel,
  type MatmulVariant,
  type MatvecSize,
  matmulVariants,
  padded,
  type WeightFormat,
} from "../../kernels/index.ts";
import { type Dispatch, launch, type Pipelines, readBuffer } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { randomU32, rms, TOLERANCE, VariantBench } from "./variant-bench.ts";

/** For variants that round their input to f16 or to int8. */
const ROUNDING_TOLERANCE = 5e-2;

/** A matrix, and the variants to multiply it with. */
export interface MatrixCase {
  readonly format: WeightFormat;
  readonly size: MatvecSize;
  readonly variants: readonly string[];
  readonly kernel: (variant: string) => Kernel<MatvecSize>;
}

export class MatrixBench extends VariantBench {
  readonly #case: MatrixCase;
  #buffers: GPUBuffer[] | undefined;
  /** Outputs of the first variant that was right. */
  #expected: Float32Array | undefined;

  constructor(gpu: Gpu, pipelines: Pipelines, matrixCase: MatrixCase) {
    super(gpu, pipelines);
    this.#case = matrixCase;
  }

  protected async prepare(variant: string): Promise<Dispatch[]> {
    const { kernel, size } = this.#case;
    this.#buffers ??= this.#fill();
    return [await this.pipelines.prepare(launch(kernel(variant), size, ...this.#buffers))];
  }

  /** Random input, gain and weights: a short block, repeated, as timing does not depend on the values. */
  #fill(): GPUBuffer[] {
    const { kernel, size, variants } = this.#case;
    const { queue } = this.gpu.device;
    const random = randomU32();
    return kernel(variants[0]!)
      .bindings(size)
      .map(({ name, length }) => {
        const buffer = this.made.storage(`tuning ${name}`, length);
        const words = Math.min(length, 2 ** 16 - 1); // odd, so that rows differ
        const block =
          name === "weight" || name === "scale"
            ? this.#case.format.random(name, words, random)
            : Float32Array.from({ length: words }, () => random() / 2 ** 31 - 1);
        for (let at = 0; name !== "y" && at < length; at += words) {
          const piece = block.subarray(0, Math.min(words, length - at)) as typeof block &
            ArrayBufferView<ArrayBuffer>;
          queue.writeBuffer(buffer, 4 * at, piece);
        }
        return buffer;
      });
  }

  /** Compares some outputs with plain TypeScript, and all with those of the first variant that was right. */
  protected async findMismatch(variant: string): Promise<string | undefined> {
    const { kernel, size, variants } = this.#case;
    const names = kernel(variants[0]!)
      .bindings(size)
      .map(({ name }) => name);
    const y = this.#buffers![names.indexOf("y")]!;
    const actual = new Float32Array(await readBuffer(this.gpu.device, y, 0, 4 * padded(size.N)));
    if (actual.every((value) => value === 0)) return "gives nothing but zeros";
    const rounds = matmulVariants[variant as MatmulVariant]?.rounds !== undefined;
    const allowed = (rounds ? ROUNDING_TOLERANCE : TOLERANCE) * rms(actual.subarray(0, size.N));
    const expected = this.#expected ?? actual;
    for (const n of new Set([0, 1, size.N >> 1, size.N - 1])) {
      const right = await this.#reference(n, names);
      if (!(Math.abs(actual[n]! - right) <= allowed)) {
        return `gives ${actual[n]} for output ${n} where plain arithmetic gives ${right}`;
      }
    }
    for (let n = 0; n < size.N; n++) {
      if (!(Math.abs(actual[n]! - expected[n]!) <= allowed)) {
        return `gives ${actual[n]} for output ${n} where ${variants[0]} gives ${expected[n]}`;
      }
    }
    if (!rounds) this.#expected ??= actual;
    return undefined;
  }

  /** Output n of the first token, in plain TypeScript. */
  async #reference(n: number, names: readonly string[]): Promise<number> {
    const { kernel, size, variants } = this.#case;
    const one = { T: 1, N: 1, K: size.K };
    const K = padded(size.K);
    const host = await Promise.all(
      names.map(async (name, i) => {
        const words =
          name === "weight"
            ? this.#case.format.words(K)
            : name === "scale"
              ? this.#case.format.scaleWords(K)
              : K;
        const from = name === "weight" || name === "scale" ? 4 * n * words : 0;
        const bytes = await readBuffer(
          this.gpu.device,
          this.#buffers![i]!,
          from,
          4 * Math.min(words, this.#buffers![i]!.size / 4),
        );
        return name === "scale" || (name === "weight" && this.#case.format.name !== "f32")
          ? new Uint32Array(bytes)
          : new Float32Array(bytes);
      }),
    );
    kernel(variants[0]!).reference(one, ...host);
    return host[names.indexOf("y")]![0]!;
  }
}
