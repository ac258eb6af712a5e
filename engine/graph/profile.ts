// What a list of dispatches costs: bytes moved, arithmetic, and the time that each one takes on the GPU.
import { bytesPerRow, type Kernel } from "../../kernels/index.ts";
import { type Dispatch, encode, readBuffer, usage } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { ringLength } from "./activations.ts";
import type { Shape } from "./shape.ts";

/** Weight formats bind their buffers from this slot on. */
const FIRST_WEIGHT_SLOT = 6;

/**
 * Bytes between the GPU and its memory. Every byte that a dispatch needs counts once, keys and values once for each
 * workgroup that goes over them; what workgroups share of activations is small enough for the GPU's caches.
 */
export interface Traffic {
  /** Matrices. */
  readonly weights: number;
  /** Keys and values, read and written. */
  readonly cache: number;
  /** Activations, gains, angles. */
  readonly rest: number;
  readonly total: number;
}

/**
 * Bytes and operations of dispatches whose last row stands at `position`.
 * @param T rows of the pass, where they are fewer than the dispatches were prepared for
 */
export function costOf(
  dispatches: readonly Pick<Dispatch, "kernel" | "size">[],
  position: number,
  T?: number,
): { readonly traffic: Traffic; readonly flops: number } {
  const bytes = { weights: 0, cache: 0, rest: 0 };
  let flops = 0;
  for (const { kernel, size: prepared } of dispatches) {
    const size = T === undefined ? prepared : { ...prepared, T };
    const cost = kernel.cost?.(size, position) ?? {};
    flops += cost.flops ?? 0;
    for (const { name, slot, length } of kernel.bindings(size)) {
      const part = name === "cache" ? "cache" : (slot ?? 0) >= FIRST_WEIGHT_SLOT ? "weights" : "rest";
      bytes[part] += 4 * length * (cost.passes?.[name] ?? 1);
    }
  }
  return { traffic: { ...bytes, total: bytes.weights + bytes.cache + bytes.rest }, flops };
}

/** The fewest bytes that a decoded token at `position` can do with: each weight, and the keys and values it sees, once. */
export function idealBytes(shape: Shape, position: number): number {
  const { format, headFormat, L, D, F, H, G, d, V, S, W } = shape;
  const layer =
    ((H + 2 * G) * d + 2 * F) * bytesPerRow(format, D) +
    D * (bytesPerRow(format, H * d) + bytesPerRow(format, F));
  const head = V * bytesPerRow(headFormat, D);
  const gains = 4 * D * (2 * L + 1);
  const slotBytes = (4 * ringLength(shape)) / S;
  return L * layer + head + gains + L * slotBytes * Math.min(position + 1, W);
}

/** Most passes whose times fit one query set. https://www.w3.org/TR/webgpu/#dom-gpudevice-createqueryset */
const MOST_PASSES = 2048;

/** Times every dispatch of a list by itself: by the GPU's own clock where it has one, else from submit to done. */
export class Profiler {
  readonly clock: "gpu" | "host";
  readonly #gpu: Gpu;
  readonly #queries: GPUQuerySet | undefined;
  readonly #resolved: GPUBuffer | undefined;

  constructor(gpu: Gpu) {
    const { device } = gpu;
    this.#gpu = gpu;
    if (device.features.has("timestamp-query")) {
      this.#queries = device.createQuerySet({ type: "timestamp", count: 2 * MOST_PASSES });
      const size = 2 * MOST_PASSES * 8;
      this.#resolved = device.createBuffer({ size, usage: usage.queryResolve | usage.copySrc });
    }
    this.clock = this.#queries ? "gpu" : "host";
  }

  /** Milliseconds of each dispatch, run once in order. `T` as in `encode`. */
  async run(dispatches: readonly Dispatch[], T?: number): Promise<number[]> {
    const times: number[] = [];
    const most = this.#queries ? MOST_PASSES : 1;
    for (let at = 0; at < dispatches.length; at += most) {
      const batch = dispatches.slice(at, at + most);
      times.push(...(await (this.#queries ? this.#byGpu(batch, T) : this.#byHost(batch, T))));
    }
    return times;
  }

  async #byGpu(dispatches: readonly Dispatch[], T: number | undefined): Promise<number[]> {
    const { device } = this.#gpu;
    const [querySet, resolved] = [this.#queries!, this.#resolved!];
    const encoder = device.createCommandEncoder();
    dispatches.forEach((dispatch, i) => {
      const timestampWrites = {
        querySet,
        beginningOfPassWriteIndex: 2 * i,
        endOfPassWriteIndex: 2 * i + 1,
      };
      const pass = encoder.beginComputePass({ timestampWrites });
      encode(pass, [dispatch], T);
      pass.end();
    });
    encoder.resolveQuerySet(querySet, 0, 2 * dispatches.length, resolved, 0);
    device.queue.submit([encoder.finish()]);
    const bytes = await this.#gpu.settle(readBuffer(device, resolved, 0, 16 * dispatches.length));
    const stamps = new BigUint64Array(bytes);
    // Nanoseconds. A clock that jumps back counts as no time.
    return dispatches.map((_, i) => Math.max(0, Number(stamps[2 * i + 1]! - stamps[2 * i]!)) / 1e6);
  }

  async #byHost(dispatches: readonly Dispatch[], T: number | undefined): Promise<number[]> {
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass, dispatches, T);
    pass.end();
    const commands = encoder.finish();
    const began = performance.now();
    device.queue.submit([commands]);
    await this.#gpu.settle(device.queue.onSubmittedWorkDone());
    return [performance.now() - began];
  }

  dispose(): void {
    this.#queries?.destroy();
    this.#resolved?.destroy();
    // Dawn frees what is destroyed at the next submit only.
    this.#gpu.device.queue.submit([]);
  }
}

/** Dispatches that do the same work on other buffers, as one: the layers of a model. */
export function groups(
  dispatches: readonly Dispatch[],
): { readonly label: string; readonly kernel: Kernel; readonly size: object; readonly indices: number[] }[] {
  const found = new Map<string, ReturnType<typeof groups>[number]>();
  dispatches.forEach(({ label, kernel, size }, i) => {
    const key = `${label} ${JSON.stringify(size)}`;
    const group = found.get(key) ?? { label, kernel, size, indices: [] };
    group.indices.push(i);
    found.set(key, group);
  });
  return [...found.values()];
}
