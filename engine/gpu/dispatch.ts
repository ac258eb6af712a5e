// Prepares kernels once, encodes them many times, and reads results back.
import type { Binding, Kernel, ShaderFile, Workgroups } from "../../kernels/index.ts";
import { DeviceError } from "../errors.ts";

/**
 * GPUBufferUsage by value: the global of that name does not exist in Node.
 * https://www.w3.org/TR/webgpu/#buffer-usage
 */
export const usage = {
  mapRead: 0x1,
  copySrc: 0x4,
  copyDst: 0x8,
  storage: 0x80,
  queryResolve: 0x200,
} as const;
/** GPUMapMode.READ */
export const MAP_READ = 1;

/** A prepared kernel launch: built once, encoded for every token. */
export interface Dispatch {
  readonly label: string;
  readonly kernel: Kernel;
  readonly size: object;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: Workgroups;
}

/** One line of forward.ts: a kernel, its size, its buffers in the order of its bindings. */
export type Launch = readonly [kernel: Kernel, size: object, ...buffers: GPUBuffer[]];

/** Makes a launch. The kernel's type checks the size. */
export const launch = <Size extends object>(
  kernel: Kernel<Size>,
  size: Size,
  ...buffers: GPUBuffer[]
): Launch => [kernel as unknown as Kernel, size, ...buffers];

/** A device that needs no shaders: it runs kernels by itself. See engine/cpu. */
export interface KernelDevice extends GPUDevice {
  createKernelPipeline(kernel: Kernel, size: object): GPUComputePipeline;
}

/** A buffer of such a device; others do not know `near`. */
export interface NearDescriptor extends GPUBufferDescriptor {
  /** Whether it has to be where compiled functions read and write. Default: false. */
  readonly near?: boolean;
}

/** A pass of such a device. */
interface KernelPass extends GPUComputePassEncoder {
  /** @param T rows of the next launch, if its kernel has rows */
  setRows(T: number | undefined): void;
}

/** Compiles each distinct pipeline of a device once. Layers share them, and so do models. */
export class Pipelines {
  static readonly #ofDevice = new WeakMap<GPUDevice, Pipelines>();
  readonly #device: GPUDevice;
  readonly #compiled = new Map<string, Promise<GPUComputePipeline>>();

  private constructor(device: GPUDevice) {
    this.#device = device;
  }

  static of(device: GPUDevice): Pipelines {
    const pipelines = Pipelines.#ofDevice.get(device) ?? new Pipelines(device);
    Pipelines.#ofDevice.set(device, pipelines);
    return pipelines;
  }

  /** @throws DeviceError naming the kernel, if its shader does not compile or a buffer is too small */
  async prepare([kernel, size, ...buffers]: Launch): Promise<Dispatch> {
    const label = kernelLabel(kernel);
    const bindings = kernel.bindings(size);
    checkSizes(label, bindings, buffers);
    const pipeline = await this.#pipeline(kernel, size, label);
    const bindGroup = this.#device.createBindGroup({
      label,
      layout: pipeline.getBindGroupLayout(0),
      entries: bindings.map(({ slot }, i) => ({ binding: slot ?? i, resource: { buffer: buffers[i]! } })),
    });
    return { label, kernel, size, pipeline, bindGroup, workgroups: kernel.workgroups(size) };
  }

  #pipeline(kernel: Kernel, size: object, label: string): Promise<GPUComputePipeline> {
    const { createKernelPipeline } = this.#device as Partial<KernelDevice>;
    if (createKernelPipeline) return Promise.resolve(createKernelPipeline(kernel, size));
    const constants = kernel.constants(size);
    const key = JSON.stringify([label, constants, kernel.prelude?.(size)]);
    let pipeline = this.#compiled.get(key);
    if (!pipeline) {
      pipeline = this.#compile(kernel, size, label);
      this.#compiled.set(key, pipeline);
      // The shader may have failed to load: the next model tries again.
      pipeline.catch(() => this.#compiled.delete(key));
    }
    return pipeline;
  }

  async #compile(kernel: Kernel, size: object, label: string): Promise<GPUComputePipeline> {
    const code = await shaderCode(kernel, size);
    const module = this.#device.createShaderModule({ label, code });
    const compute = { module, constants: kernel.constants(size) };
    try {
      return await this.#device.createComputePipelineAsync({ label, layout: "auto", compute });
    } catch (cause) {
      throw new DeviceError(`kernel ${label}: this adapter refuses it: ${(cause as Error).message}`, {
        code: "kernel-refused",
        cause,
      });
    }
  }
}

export const kernelLabel = ({ name, variant }: Kernel): string => (variant ? `${name}_${variant}` : name);

/** The WGSL of a kernel: `enable` lines, constants, and its files. */
export async function shaderCode(kernel: Kernel, size: object): Promise<string> {
  const enables = (kernel.requires ?? []).map((feature) => `enable ${WGSL_EXTENSION[feature] ?? feature};`);
  const prelude = Object.entries(kernel.prelude?.(size) ?? {}).map(
    ([name, value]) => `const ${name}: u32 = ${value};`,
  );
  return [...enables, ...prelude, ...(await loadShaders(kernel.source))].join("\n");
}

/** The texts of WGSL files. */
export const loadShaders = (files: readonly ShaderFile[]): Promise<string[]> =>
  Promise.all(files.map((file) => (typeof file === "string" ? file : file())));

/** The same dispatch for T rows, fewer than it was prepared for. */
export const withRows = (dispatch: Dispatch, T: number): Dispatch => {
  const size = { ...dispatch.size, T };
  return { ...dispatch, size, workgroups: dispatch.kernel.workgroups(size) };
};

const WGSL_EXTENSION: Partial<Record<GPUFeatureName, string>> = { "shader-f16": "f16" };

/** Encodes dispatches in order. @param T number of rows, if fewer than they were prepared for */
export function encode(pass: GPUComputePassEncoder, dispatches: readonly Dispatch[], T?: number): void {
  for (const { kernel, size, pipeline, bindGroup, workgroups } of dispatches) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    (pass as Partial<KernelPass>).setRows?.(T ?? (size as { T?: number }).T);
    const [x, y, z] = T === undefined ? workgroups : kernel.workgroups({ ...size, T });
    pass.dispatchWorkgroups(x, y, z);
  }
}

/**
 * Copies a buffer to the host through a new staging buffer. The decode loop reuses staging buffers of its
 * own.
 */
export const readBuffer = (
  device: GPUDevice,
  buffer: GPUBuffer,
  offset = 0,
  bytes = buffer.size - offset,
): Promise<ArrayBuffer> => readPieces(device, [{ buffer, offset, to: 0, bytes }], bytes);

/** Bytes [offset, offset + bytes) of a buffer, to be copied to offset `to` of the result. */
export interface BufferPiece {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly to: number;
  readonly bytes: number;
}

/** Copies pieces of buffers to the host, into one result of `bytes` bytes. */
export async function readPieces(
  device: GPUDevice,
  pieces: readonly BufferPiece[],
  bytes: number,
): Promise<ArrayBuffer> {
  const staging = device.createBuffer({
    label: "read back",
    size: bytes,
    usage: usage.mapRead | usage.copyDst,
  });
  try {
    const encoder = device.createCommandEncoder();
    for (const { buffer, offset, to, bytes } of pieces)
      encoder.copyBufferToBuffer(buffer, offset, staging, to, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MAP_READ);
    return staging.getMappedRange().slice(0);
  } finally {
    staging.destroy();
  }
}

/** Checks lengths, since WebGPU gives no error for reads past the end of a buffer. */
function checkSizes(label: string, bindings: readonly Binding[], buffers: readonly GPUBuffer[]): void {
  if (bindings.length !== buffers.length) {
    throw new DeviceError(`kernel ${label}: expected ${bindings.length} buffers, got ${buffers.length}.`, {
      code: "command-refused",
    });
  }
  bindings.forEach(({ name, length }, i) => {
    const bytes = buffers[i]?.size ?? 0;
    if (bytes < length * 4) {
      throw new DeviceError(
        `kernel ${label}: expected ${length * 4} bytes in buffer "${name}", got ${bytes}.`,
        { code: "command-refused" },
      );
    }
  });
}

/** Pads to whole words for `writeBuffer`: an odd row of 16-bit weights ends in half a word. */
export function wholeWords(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.byteLength % 4 === 0) return bytes;
  const whole = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4);
  whole.set(bytes);
  return whole;
}
