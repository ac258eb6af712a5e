// Opens the device that computes on the CPU.
import { instantiate } from "../../kernels/cpu/compiled.ts";
import { compileModules } from "../../kernels/cpu/modules.ts";
import { describe, Gpu } from "../gpu/gpu.ts";
import { cpuDevice } from "./device.ts";
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
  const modules = await compileModules(count > 1);
  if (count > 0 && openPort) return workerThreads(count, modules, openPort);
  return ownThread((memory) => instantiate(modules, memory));
}
