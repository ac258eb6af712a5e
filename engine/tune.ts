// The tuner: measures the variants of the hot kernels on this adapter at the model's own shapes, and drops wrong ones.
import {
  type Kernel,
  type MatmulVariant,
  type MatvecSize,
  type MatvecVariant,
  matmul,
  matmulVariants,
  matvec,
  padded,
  type WeightFormat,
} from "../kernels/index.ts";
import type { KernelChoice, MatrixRole, Progress, TuningMeasurement } from "./api.ts";
import { Buffers } from "./buffers.ts";
import type { Gpu } from "./device.ts";
import { type Dispatch, encode, launch, type Pipelines, readBuffer } from "./gpu.ts";
import { matmulCandidates, matrixRoles, matvecCandidates } from "./kernel-choice.ts";
import type { Shape } from "./shape.ts";

export interface TuneOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: 5 s on a GPU, 60 s on a software driver. */
  readonly budgetMs?: number;
}

export interface Tuned {
  readonly choice: KernelChoice;
  readonly measurements: readonly TuningMeasurement[];
}

/** What differs between an adapter with a GPU and one that computes on the CPU. */
const EFFORT = {
  gpu: { budgetMs: 5_000, weights: 2 ** 26, tokens: 256, batchMs: 2 },
  software: { budgetMs: 60_000, weights: 2 ** 21, tokens: 64, batchMs: 5 },
} as const;

/** Relative to the root mean square of the outputs: more than rounding gives in any order of adding up. */
const TOLERANCE = 1e-3;
/** For variants that round their input to f16 or to bytes. */
const ROUNDING_TOLERANCE = 5e-2;

/** One matrix of the model, as the kernels see it; the model's own may be taller. */
interface Contest {
  readonly pass: TuningMeasurement["pass"];
  readonly role: MatrixRole;
  readonly format: WeightFormat;
  readonly size: MatvecSize;
  readonly candidates: readonly string[];
  readonly kernel: (variant: string) => Kernel<MatvecSize>;
}

/**
 * Measures until all is measured or the time is up, what suits most adapters of the kind first: what is not reached keeps it. qkv and gate_up are
 * measured as a matrix-vector product of their shape: they differ in how they end only.
 */
export async function tune(
  gpu: Gpu,
  pipelines: Pipelines,
  shape: Shape,
  { onProgress, signal, budgetMs }: TuneOptions,
): Promise<Tuned> {
  const effort = EFFORT[gpu.adapter.software ? "software" : "gpu"];
  const contests = allContests(gpu, shape, effort);
  const total = contests.reduce((sum, { candidates }) => sum + candidates.length, 0);
  const deadline = performance.now() + (budgetMs ?? effort.budgetMs);
  const choice = { matvec: { ...shape.kernels.matvec }, matmul: { ...shape.kernels.matmul } };
  const measurements: TuningMeasurement[] = [];
  let done = 0;
  for (const contest of contests) {
    const lab = new Lab(gpu, pipelines, contest);
    const times: TuningMeasurement[] = [];
    try {
      for (const variant of contest.candidates) {
        signal?.throwIfAborted();
        if (performance.now() > deadline) break;
        const { role, pass } = contest;
        onProgress?.({ stage: "tune", name: `${pass} ${role} ${variant}`, loaded: done++, total });
        times.push({ role, pass, variant, ...(await lab.measure(variant, effort.batchMs)) });
      }
    } finally {
      lab.close();
    }
    const fastest = times.reduce<TuningMeasurement | undefined>(
      (best, each) => (best && best.microseconds <= each.microseconds ? best : each),
      undefined,
    );
    if (fastest && fastest.rejected === undefined) setChoice(choice, contest, fastest.variant);
    measurements.push(...times);
  }
  return { choice: { ...shape.kernels, ...choice }, measurements };
}

function setChoice(
  choice: { matvec: Record<MatrixRole, MatvecVariant>; matmul: Record<MatrixRole, MatmulVariant> },
  { pass, role }: Contest,
  variant: string,
): void {
  if (pass === "decode") choice.matvec[role] = variant as MatvecVariant;
  else choice.matmul[role] = variant as MatmulVariant;
}

/** The largest matrices first: where the time does not suffice, they matter most. */
function allContests({ adapter }: Gpu, shape: Shape, effort: { weights: number; tokens: number }): Contest[] {
  const { D, F, H, G, d, V, B, kernels, chunkLength } = shape;
  const matrices: Record<MatrixRole, readonly [N: number, K: number]> = {
    qkv: [(H + 2 * G) * d, D],
    oProj: [D, H * d],
    gateUp: [2 * F, D],
    downProj: [D, F],
    lmHead: [V, D],
  };
  const capped = (role: MatrixRole) => {
    const [N, K] = matrices[role];
    return { N: Math.min(N, Math.max(256, Math.floor(effort.weights / K))), K };
  };
  const bySize = [...matrixRoles].sort(
    (a, b) => matrices[b][0] * matrices[b][1] - matrices[a][0] * matrices[a][1],
  );
  const normed = (role: MatrixRole) => role !== "oProj" && role !== "downProj";
  return bySize.flatMap((role): Contest[] => {
    const format = role === "lmHead" ? shape.headFormat : shape.format;
    return [
      {
        pass: "decode",
        role,
        format,
        size: { T: B, ...capped(role) },
        candidates: usualFirst(kernels.matvec[role], matvecCandidates(adapter)),
        kernel: (variant) => matvec(format, variant as MatvecVariant, normed(role) ? "norm" : "plain"),
      },
      {
        pass: "prefill",
        role,
        format,
        size: { T: Math.min(chunkLength, effort.tokens), ...capped(role) },
        candidates: usualFirst(kernels.matmul[role], matmulCandidates(adapter, format)),
        kernel: (variant) => matmul(format, variant as MatmulVariant),
      },
    ];
  });
}

const usualFirst = (usual: string, all: readonly string[]): string[] => [
  usual,
  ...all.filter((variant) => variant !== usual),
];

/** The buffers of a contest, and what its first right variant made of them. */
class Lab {
  readonly #gpu: Gpu;
  readonly #pipelines: Pipelines;
  readonly #contest: Contest;
  readonly #made: Buffers;
  #buffers: GPUBuffer[] | undefined;
  #expected: Float32Array | undefined;
  #best = Infinity;

  constructor(gpu: Gpu, pipelines: Pipelines, contest: Contest) {
    this.#gpu = gpu;
    this.#pipelines = pipelines;
    this.#contest = contest;
    this.#made = new Buffers(gpu.device);
  }

  close(): void {
    this.#made.destroy();
  }

  /** Microseconds of a launch, the least of three batches; or why the variant is out. */
  async measure(
    variant: string,
    batchMs: number,
  ): Promise<{ microseconds: number } & Pick<TuningMeasurement, "rejected">> {
    const { kernel, size } = this.#contest;
    try {
      return await this.#gpu.scoped(async () => {
        this.#buffers ??= this.#fill();
        const dispatch = await this.#pipelines.prepare(launch(kernel(variant), size, ...this.#buffers));
        await this.#run(dispatch, 1);
        const rejected = await this.#wrong(variant);
        if (rejected) return { microseconds: Infinity, rejected };
        let launches = 1;
        let best = await this.#run(dispatch, 1);
        while (launches < 64 && best < batchMs) {
          launches *= 2;
          best = await this.#run(dispatch, launches);
        }
        // What is out of the running is not worth the time of a second batch.
        for (let batch = 1; batch < 3 && best / launches < 2 * this.#best; batch++) {
          best = Math.min(best, await this.#run(dispatch, launches));
        }
        this.#best = Math.min(this.#best, best / launches);
        return { microseconds: (1000 * best) / launches };
      });
    } catch (error) {
      this.#gpu.check();
      return { microseconds: Infinity, rejected: (error as Error).message };
    }
  }

  /** Random input, gain and weights; a short stretch over and over, which no kernel can tell. */
  #fill(): GPUBuffer[] {
    const { kernel, size, candidates } = this.#contest;
    const { queue } = this.#gpu.device;
    const random = randomU32();
    return kernel(candidates[0]!)
      .bindings(size)
      .map(({ name, length }) => {
        const buffer = this.#made.storage(`tuning ${name}`, length);
        const words = Math.min(length, 2 ** 16 - 1); // odd: rows differ
        const stretch =
          name === "weight" || name === "scale"
            ? this.#contest.format.random(name, words, random)
            : Float32Array.from({ length: words }, () => random() / 2 ** 31 - 1);
        for (let at = 0; name !== "y" && at < length; at += words) {
          const piece = stretch.subarray(0, Math.min(words, length - at)) as typeof stretch &
            ArrayBufferView<ArrayBuffer>;
          queue.writeBuffer(buffer, 4 * at, piece);
        }
        return buffer;
      });
  }

  /** Milliseconds of so many launches in one pass. */
  async #run(dispatch: Dispatch, launches: number): Promise<number> {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < launches; i++) encode(pass, [dispatch]);
    pass.end();
    const began = performance.now();
    device.queue.submit([encoder.finish()]);
    await this.#gpu.settle(device.queue.onSubmittedWorkDone());
    return performance.now() - began;
  }

  /** Compares some outputs with plain TypeScript, and all with those of the first variant that was right. */
  async #wrong(variant: string): Promise<string | undefined> {
    const { kernel, size, candidates } = this.#contest;
    const names = kernel(candidates[0]!)
      .bindings(size)
      .map(({ name }) => name);
    const y = this.#buffers![names.indexOf("y")]!;
    const actual = new Float32Array(await readBuffer(this.#gpu.device, y, 0, 4 * padded(size.N)));
    if (actual.every((value) => value === 0)) return "gives nothing but zeros";
    const rounds = "rounds" in (matmulVariants[variant as MatmulVariant] ?? {});
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
        return `gives ${actual[n]} for output ${n} where ${candidates[0]} gives ${expected[n]}`;
      }
    }
    if (!rounds) this.#expected ??= actual;
    return undefined;
  }

  /** Output n of the first token, in plain TypeScript. */
  async #reference(n: number, names: readonly string[]): Promise<number> {
    const { kernel, size, candidates } = this.#contest;
    const one = { T: 1, N: 1, K: size.K };
    const K = padded(size.K);
    const host = await Promise.all(
      names.map(async (name, i) => {
        const words =
          name === "weight"
            ? this.#contest.format.words(K)
            : name === "scale"
              ? this.#contest.format.scaleWords(K)
              : K;
        const from = name === "weight" || name === "scale" ? 4 * n * words : 0;
        const bytes = await readBuffer(
          this.#gpu.device,
          this.#buffers![i]!,
          from,
          4 * Math.min(words, this.#buffers![i]!.size / 4),
        );
        return name === "scale" || (name === "weight" && this.#contest.format.name !== "f32")
          ? new Uint32Array(bytes)
          : new Float32Array(bytes);
      }),
    );
    kernel(candidates[0]!).reference(one, ...host);
    return host[names.indexOf("y")]![0]!;
  }
}

const rms = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

/** xorshift32 (Marsaglia 2003): the same numbers every time. */
function randomU32(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
