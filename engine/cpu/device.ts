// A device that computes on the CPU: the part of WebGPU's API that the engine uses. A launch runs the
// operation that its kernel names (kernels/cpu), or the kernel's reference if it names none.
import type { Buffer as HostBuffer, Kernel } from "../../kernels/kernel.ts";
import type { NearDescriptor } from "../gpu/dispatch.ts";
import { adapterInfo, FEATURES, LIMITS, MAX_BUFFER_BYTES } from "./adapter.ts";
import { CpuBuffer, part } from "./buffer.ts";
import type { Place, Step } from "./commands.ts";
import { type CpuError, CpuOutOfMemoryError, CpuValidationError } from "./errors.ts";
import { Memory } from "./memory.ts";
import {
  type AnyStep,
  type BindGroup,
  type CommandBuffer,
  ComputePass,
  type Pipeline,
  type ReferenceStep,
} from "./pass.ts";
import type { Threads } from "./threads.ts";
import { Timeline } from "./timeline.ts";

/**
 * Opens a device on threads, which it ends when it is destroyed.
 * @param memoryBytes of all buffers together, at most. Default: no limit but WebAssembly's
 */
export const cpuDevice = (threads: Threads, memoryBytes = Infinity): GPUDevice =>
  new CpuDevice(threads, memoryBytes) as unknown as GPUDevice;

interface Scope {
  readonly filter: GPUErrorFilter;
  error: CpuError | null;
  /** Whether it waits for the errors of what was asked in it. */
  isClosing: boolean;
}

class CpuDevice extends EventTarget {
  readonly features = FEATURES;
  readonly limits = LIMITS;
  readonly adapterInfo: ReturnType<typeof adapterInfo>;
  readonly lost: Promise<Pick<GPUDeviceLostInfo, "reason" | "message">>;
  readonly queue = {
    submit: (buffers: Iterable<CommandBuffer>) => {
      for (const { steps } of buffers) this.#submit(steps);
    },
    writeBuffer: (
      buffer: CpuBuffer,
      offset: number,
      data: ArrayBuffer | ArrayBufferView<ArrayBuffer>,
      from = 0,
      length?: number,
    ) => this.#write(buffer, offset, bytesOf(data, from, length)),
    onSubmittedWorkDone: async () => {
      await this.#timeline.ask();
    },
  };
  readonly #timeline: Timeline;
  readonly #memory: Memory;
  /** What buffers ask of the device. */
  readonly #owner = {
    read: async (place: Place) => (await this.#timeline.ask(place))!,
    release: (place: Place) => {
      this.#timeline.toAll({ type: "free", place });
      this.#memory.give(place);
    },
  };
  readonly #scopes: Scope[] = [];
  #lastLaunch = 0;
  readonly #lose: (reason: GPUDeviceLostReason, message: string) => void;

  constructor(threads: Threads, memoryBytes: number) {
    super();
    this.adapterInfo = adapterInfo(threads.count);
    let lose: (reason: GPUDeviceLostReason, message: string) => void = () => {};
    this.lost = new Promise((resolve) => {
      lose = (reason, message) => {
        this.#timeline.end(message);
        resolve({ reason, message });
      };
    });
    this.#lose = lose;
    this.#timeline = new Timeline(
      threads,
      ({ outOfMemory, message }) =>
        this.#error(outOfMemory ? new CpuOutOfMemoryError(message) : new CpuValidationError(message)),
      (reason) => this.#lose("unknown", reason),
    );
    this.#memory = new Memory(this.#timeline, memoryBytes);
  }

  createBuffer(descriptor: NearDescriptor): CpuBuffer {
    return new CpuBuffer(this.#owner, descriptor, this.#placeOf(descriptor));
  }

  #placeOf({ label = "", size, near = false }: NearDescriptor): Place | undefined {
    if (size > MAX_BUFFER_BYTES) {
      const message = `buffer "${label}": expected at most ${MAX_BUFFER_BYTES} bytes, got ${size}`;
      this.#error(new CpuValidationError(message));
      return undefined;
    }
    const place = this.#memory.take(size, near);
    if (!place) {
      const { left } = this.#memory;
      const got = left < size ? `${left}, all that is left of this machine's memory` : "none";
      const message = `buffer "${label}": expected room for ${size} bytes, got ${got}.`;
      this.#error(new CpuOutOfMemoryError(message));
    }
    return place;
  }

  createKernelPipeline(kernel: Kernel, size: object): Pipeline {
    const pipeline: Pipeline = { kernel, size, getBindGroupLayout: () => pipeline };
    return pipeline;
  }

  createBindGroup(descriptor: {
    layout: Pipeline;
    entries: { resource: { buffer: CpuBuffer } }[];
  }): BindGroup {
    const { kernel, size } = descriptor.layout;
    const buffers = descriptor.entries.map(({ resource }) => resource.buffer);
    const operands = buffers.map(({ place }) => place).filter((place) => place !== undefined);
    const id = this.#lastLaunch++;
    if (kernel.cpu && operands.length === buffers.length)
      this.#timeline.toAll({ type: "launch", id, call: kernel.cpu, size, operands });
    return { id, kernel, size, buffers };
  }

  createCommandEncoder() {
    const steps: AnyStep[] = [];
    return {
      beginComputePass: () => new ComputePass(steps),
      copyBufferToBuffer(from: CpuBuffer, fromAt: number, to: CpuBuffer, toAt: number, bytes: number) {
        const [source, target] = [part(from, fromAt, bytes), part(to, toAt, bytes)];
        if (source && target) steps.push({ type: "copy", from: source, to: target });
      },
      finish: (): CommandBuffer => ({ steps }),
    };
  }

  pushErrorScope(filter: GPUErrorFilter): void {
    this.#scopes.push({ filter, error: null, isClosing: false });
  }

  async popErrorScope(): Promise<CpuError | null> {
    const scope = this.#scopes.findLast(({ isClosing }) => !isClosing)!;
    scope.isClosing = true;
    // Errors of what was asked so far come before the answer.
    await this.#timeline.ask().catch(() => {});
    this.#scopes.splice(this.#scopes.indexOf(scope), 1);
    return scope.error;
  }

  destroy(): void {
    this.#lose("destroyed", "Device was destroyed.");
  }

  #write(buffer: CpuBuffer, offset: number, bytes: Uint8Array<ArrayBuffer>): void {
    const place = part(buffer, offset, bytes.byteLength);
    if (!place) return;
    // The caller may change its own after the call.
    const data = bytes.slice().buffer;
    this.#timeline.toFirst({ type: "write", place, data }, [data]);
  }

  #submit(steps: readonly AnyStep[]): void {
    let ready: Step[] = [];
    const flush = () => {
      if (ready.length > 0) this.#timeline.toAll({ type: "submit", steps: ready });
      ready = [];
    };
    for (const step of steps) {
      if (step.type === "reference") {
        flush();
        this.#runReference(step);
      } else ready.push(step);
    }
    flush();
  }

  /** Runs a kernel's reference on the caller's thread, on copies of its buffers. */
  #runReference({ group: { kernel, size, buffers }, T }: ReferenceStep): void {
    const rows = T < 0 ? size : { ...size, T };
    const bindings = kernel.bindings(rows);
    this.#timeline.interpose(async (read, write) => {
      const host: HostBuffer[] = [];
      for (const [i, { type, length }] of bindings.entries()) {
        const bytes = await read(part(buffers[i]!, 0, 4 * length)!);
        host.push(type === "u32" ? new Uint32Array(bytes) : new Float32Array(bytes));
      }
      kernel.reference(rows, ...host);
      for (const [i, { writes }] of bindings.entries()) {
        const place = part(buffers[i]!, 0, host[i]!.byteLength);
        if (writes && place) write(place, host[i]!.buffer as ArrayBuffer);
      }
    });
  }

  #error(error: CpuError): void {
    const filter = error instanceof CpuOutOfMemoryError ? "out-of-memory" : "validation";
    const scope = this.#scopes.findLast((candidate) => candidate.filter === filter);
    if (scope) scope.error ??= error;
    else this.dispatchEvent(Object.assign(new Event("uncapturederror", { cancelable: true }), { error }));
  }
}

/** The bytes that `writeBuffer` means: `from` and `length` count elements of a typed array. */
function bytesOf(
  data: ArrayBuffer | ArrayBufferView<ArrayBuffer>,
  from: number,
  length: number | undefined,
): Uint8Array<ArrayBuffer> {
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  const unit = (data as Partial<Float32Array>).BYTES_PER_ELEMENT ?? 1;
  return bytes.subarray(unit * from, length === undefined ? undefined : unit * (from + length));
}
