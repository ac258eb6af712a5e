// A device, its adapter, and their errors.
import type { AdapterDescription } from "../api.ts";
import { DeviceError, DeviceLostError } from "../errors.ts";
import type { Nudge } from "./nudge.ts";

/** Features that make some kernels faster. None is required. */
const HELPFUL_FEATURES: readonly GPUFeatureName[] = ["shader-f16", "subgroups", "timestamp-query"];
const HELPFUL_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;
/** Drivers state up to 2^64 - 1, which a number cannot carry: as a request it would be refused. */
const MAX_LIMIT = 2 ** 40;

/** In a busy browser, the notice of a lost device may come this much later than the failures it causes. */
const LOSS_NOTICE_MS = 1000;

/** The option `adapter` that takes WebGPU's adapter even if it is a software driver. */
export const ANY_WEBGPU = "webgpu";

/** A wait for an idle queue that takes longer is looked into. In Chrome it takes less than a millisecond. */
const IDLE_MS = 8;

/** Called with each piece of GPU work that is awaited on a software driver, which computes on the CPU. */
export type YieldCores = (work: Promise<unknown>) => void;

/** A device. Its errors are thrown by the next call that waits for the GPU. */
export class Gpu {
  readonly device: GPUDevice;
  readonly adapter: AdapterDescription;
  readonly #owned: boolean;
  readonly #yieldCores: YieldCores | undefined;
  readonly #lost: Promise<void>;
  #nudge: Nudge | undefined;
  #trouble: Error | undefined;
  #disposed = false;
  readonly #onError = (event: GPUUncapturedErrorEvent) => {
    event.preventDefault();
    this.#trouble ??= deviceError(this.adapter, event.error);
  };

  constructor(
    device: GPUDevice,
    adapter: AdapterDescription,
    { owned, yieldCores }: { owned: boolean; yieldCores?: YieldCores | undefined },
  ) {
    this.device = device;
    this.adapter = adapter;
    this.#owned = owned;
    this.#yieldCores = adapter.software ? yieldCores : undefined;
    device.addEventListener("uncapturederror", this.#onError);
    this.#lost = device.lost.then(({ reason, message }) => {
      const advice = owned
        ? "Load the model again."
        : "It is the caller's own: load the model again with another one.";
      this.#trouble = new DeviceLostError(
        `${adapter.name}: the device is lost (${message || reason}). ${advice}`,
      );
    });
  }

  /** Whether the device is known to be lost. */
  get lost(): boolean {
    return this.#trouble instanceof DeviceLostError;
  }

  /**
   * Whether the buffers are destroyed. A caller's device goes on, so nothing that uses them may be submitted.
   */
  get disposed(): boolean {
    return this.#disposed;
  }

  /** @throws DeviceError or DeviceLostError if the device reported an error since the last call */
  check(): void {
    const trouble = this.#trouble;
    // A refused command is reported once. A lost device stays lost.
    if (!(trouble instanceof DeviceLostError)) this.#trouble = undefined;
    if (trouble) throw trouble;
  }

  /**
   * Finds out whether waits have to be nudged in this browser: see nudge.ts. To be called before anything is
   * submitted.
   */
  async learnToWait(): Promise<void> {
    // Twice: the first wait may end because the browser happens to look just then.
    if ((await this.#endsAtOnce()) && (await this.#endsAtOnce())) return;
    const { nudgeIfItHelps } = await import("./nudge.ts");
    this.#nudge = await nudgeIfItHelps(this.device);
  }

  async #endsAtOnce(): Promise<boolean> {
    const began = performance.now();
    const patience = new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    await Promise.race([this.device.queue.onSubmittedWorkDone().catch(() => {}), patience]);
    return performance.now() - began < IDLE_MS;
  }

  /** Waits for GPU work. @throws as `check` */
  async settle<T>(work: Promise<T>): Promise<T> {
    this.#yieldCores?.(work);
    this.#nudge?.during(work);
    try {
      const result = await work;
      this.check();
      return result;
    } catch (error) {
      // A lost device rejects pending work before `device.lost` resolves.
      if (!this.lost)
        await Promise.race([this.#lost, new Promise((resolve) => setTimeout(resolve, LOSS_NOTICE_MS))]);
      this.check();
      throw error;
    }
  }

  /** Runs `create` in error scopes. @throws DeviceError if it ran out of memory or used the API wrongly */
  async scoped<T>(create: () => T | Promise<T>): Promise<T> {
    this.device.pushErrorScope("validation");
    this.device.pushErrorScope("out-of-memory");
    let result: T | undefined;
    let failure: unknown;
    try {
      result = await create();
    } catch (error) {
      failure = error;
    }
    const errors = [await this.device.popErrorScope(), await this.device.popErrorScope()];
    this.check();
    if (failure) throw failure;
    const error = errors.find((candidate) => candidate !== null);
    if (error) throw deviceError(this.adapter, error);
    return result as T;
  }

  dispose(): void {
    this.#disposed = true;
    if (!this.lost) this.#trouble = disposedError();
    this.device.removeEventListener("uncapturederror", this.#onError);
    if (this.#owned) this.device.destroy();
  }
}

export const disposedError = () =>
  new DeviceLostError("model: expected a loaded model, got a disposed one. Load it again.", {
    code: "disposed",
  });

function deviceError(adapter: AdapterDescription, error: GPUError): DeviceError {
  const outOfMemory = error.constructor.name === "GPUOutOfMemoryError";
  const advice = outOfMemory ? " Load a smaller weight format or a shorter context." : "";
  const kind = outOfMemory ? "out of memory" : "the device refused a command";
  return new DeviceError(`${adapter.name}: ${kind}: ${error.message.trim()}${advice}`, {
    code: outOfMemory ? "out-of-memory" : "command-refused",
    cause: error,
  });
}

/** Whether an adapter was found, and is no software driver. */
export const isHardware = (found: GPUAdapter | null | undefined): boolean =>
  !!found && !describe(found.info, found).software;

/** @throws DeviceError if there is no adapter */
export async function openDevice(gpu: GPU | undefined, hint = "", yieldCores?: YieldCores): Promise<Gpu> {
  const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new DeviceError(`WebGPU: expected an adapter, got none.${hint && ` ${hint}`}`, {
      code: gpu ? "no-adapter" : "no-webgpu",
    });
  }
  const requiredFeatures = HELPFUL_FEATURES.filter((feature) => adapter.features.has(feature));
  const requiredLimits = Object.fromEntries(
    HELPFUL_LIMITS.map((name) => [name, Math.min(adapter.limits[name], MAX_LIMIT)]),
  );
  const device = await adapter
    .requestDevice({ requiredFeatures, requiredLimits })
    // A driver may state more than it gives. All kernels run with the limits that every device has.
    .catch(() => adapter.requestDevice({ requiredFeatures }));
  return new Gpu(device, describe(adapter.info, device), { owned: true, yieldCores });
}

/** A device that belongs to the caller: `dispose` does not destroy it. */
export const borrowDevice = (device: GPUDevice, yieldCores?: YieldCores): Gpu =>
  new Gpu(device, describe(device.adapterInfo, device), { owned: false, yieldCores });

/** @param info missing from devices in Safari 26.0 */
export function describe(
  info: Partial<GPUAdapterInfo> = {},
  { features, limits }: GPUDevice | GPUAdapter,
): AdapterDescription {
  const { device = "", description = "", vendor = "", architecture = "" } = info;
  const named = /\D/.test(device) ? device.replace(/-+$/, "") : ""; // in Deno `device` is a number
  return {
    name: named || description || [vendor, architecture].filter(Boolean).join(" ") || "unnamed GPU",
    vendor,
    architecture,
    driver: description,
    software: info.isFallbackAdapter || /^(software|swiftshader|warp)$/i.test(architecture),
    features: [...features].sort(),
    ...(features.has("subgroups") &&
      info.subgroupMinSize === info.subgroupMaxSize && { subgroupSize: info.subgroupMinSize }),
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxBufferBytes: limits.maxBufferSize,
    maxWorkgroupBytes: limits.maxComputeWorkgroupStorageSize,
    maxWorkgroupThreads: Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX),
  };
}
