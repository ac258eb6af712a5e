// Opens the device that computes on the CPU.
import { describe, Gpu } from "../gpu/gpu.ts";
import { cpuDevice } from "./device.ts";
import { instantiate } from "./instantiate.ts";
import { ownThread, type Port, type Threads, workerThreads } from "./threads.ts";

/**
 * @param threads workers that compute, ≥ 1; 0 for the caller's own thread, which then stands still meanwhile
 * @param openPort starts a worker that serves `serveThread`
 */
export async function openCpu(threads: number, openPort: () => Port): Promise<Gpu> {
  const device = cpuDevice(await startThreads(threads, openPort));
  return new Gpu(device, describe(device.adapterInfo, device), { owned: true });
}

/** The device alone, on the caller's thread: for tests. */
export const openOwnThread = async (): Promise<GPUDevice> => cpuDevice(await startThreads(0));

async function startThreads(count: number, openPort?: () => Port): Promise<Threads> {
  const module = await WebAssembly.compile(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  if (count > 0 && openPort) return workerThreads(count, module, openPort);
  return ownThread((memory) => instantiate(module, memory));
}
