// Opens the device that computes on the CPU.
import { instantiate } from "../../kernels/cpu/compiled.ts";
import { compileModules } from "../../kernels/cpu/modules.ts";
import { DeviceError } from "../errors.ts";
import { describe, Gpu } from "../gpu/gpu.ts";
import { cpuDevice } from "./device.ts";
import { ownThread, type Port, type Threads, workerThreads } from "./threads.ts";

/**
 * @param ports workers that compute, each serving `serveThread`; none for the caller's own thread, which then
 * stands still meanwhile
 * @param memoryBytes of all buffers together, at most. Default: what WebAssembly can have
 */
export async function openCpu(ports: readonly Port[], memoryBytes?: number): Promise<Gpu> {
  try {
    const device = cpuDevice(await startThreads(ports), memoryBytes);
    return new Gpu(device, describe(device.adapterInfo, device), { owned: true });
  } catch (cause) {
    for (const port of ports) port.end();
    throw new DeviceError(
      `CPU: expected WebAssembly with SIMD, got "${(cause as Error).message}". The Content-Security-Policy of a page has to allow 'wasm-unsafe-eval'; Node has to run without --jitless.`,
      { code: "kernel-refused", cause },
    );
  }
}

/** The device alone, on the caller's thread: for tests. */
export const openOwnThread = async (): Promise<GPUDevice> => cpuDevice(await startThreads([]));

async function startThreads(ports: readonly Port[]): Promise<Threads> {
  const modules = await compileModules(ports.length > 1);
  if (ports.length > 0) return workerThreads(ports, modules);
  return ownThread((memory) => instantiate(modules, memory));
}
