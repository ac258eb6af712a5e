// Who computes in Node: a hardware GPU, or else the CPU.
import type { AdapterDescription } from "./api.ts";
import { describeCpu } from "./cpu/adapter.ts";
import { machineBytes } from "./cpu/node-memory.ts";
import { allowRelaxedSimd } from "./cpu/node-simd.ts";
import { defaultThreads } from "./cpu/node-threads.ts";
import { DeviceError } from "./errors.ts";
import { listDawnAdapters, openDawn, openHardware } from "./gpu/dawn.ts";
import { borrowDevice, type Gpu } from "./gpu/gpu.ts";
import { yieldCoresDuring } from "./gpu/yield-cores.ts";
import { MAX_THREADS } from "./options/defaults.ts";
import type { Platform } from "./platform.ts";

type Options = Parameters<Platform["openDevice"]>[0];

export async function openNodeDevice({ device, threads, ...options }: Options): Promise<Gpu> {
  if (device) return borrowDevice(device, yieldCoresDuring);
  const { unsafeFast } = options;
  // Empty ones are none.
  const adapter = options.adapter || process.env["SIROCCO_ADAPTER"] || undefined;
  if (adapter === undefined) return (await openHardware(unsafeFast)) ?? openCpu(threads);
  return isCpu(adapter) ? openCpu(threads) : openDawn(adapter, unsafeFast);
}

/** Dawn's adapters, and the CPU at the end. */
export async function listNodeAdapters(): Promise<AdapterDescription[]> {
  const cpu = describeCpu(threadsOrDefault(undefined));
  return [...(await listDawnAdapters()), cpu];
}

/** "cpu", or its whole name. */
const isCpu = (adapter: string): boolean => /^cpu\b/i.test(adapter);

async function openCpu(threads: number | undefined): Promise<Gpu> {
  const [{ openCpu }, { openNodePort }] = await Promise.all([
    import("./cpu/open.ts"),
    import("./cpu/node-port.ts"),
  ]);
  allowRelaxedSimd();
  const length = threadsOrDefault(threads);
  try {
    return await openCpu(Array.from({ length }, openNodePort), machineBytes());
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_ACCESS_DENIED") throw cause;
    throw new DeviceError(
      "CPU: expected permission for threads, got none. Start Node with --allow-worker, or ask for 0 threads.",
      { code: "no-worker", cause },
    );
  }
}

/** @throws RangeError if SIROCCO_THREADS is no number of threads */
function threadsOrDefault(threads: number | undefined): number {
  const given = process.env["SIROCCO_THREADS"];
  if (threads !== undefined) return threads;
  if (!given) return defaultThreads(MAX_THREADS);
  if (/^\d{1,3}$/.test(given) && Number(given) <= MAX_THREADS) return Number(given);
  throw new RangeError(
    `SIROCCO_THREADS: expected a whole number from 0 to ${MAX_THREADS}, got ${JSON.stringify(given)}. Set another, or none.`,
  );
}
