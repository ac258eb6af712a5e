// WebGPU in Node: Dawn, from the optional npm package `webgpu`.
import type { AdapterDescription } from "../api.ts";
import { DeviceError } from "../errors.ts";
import { ANY_WEBGPU, describe, type Gpu, isHardware, openDevice } from "./gpu.ts";
import { yieldCoresDuring } from "./yield-cores.ts";

const HINT =
  "Install a Vulkan driver (Linux: the GPU's own, or mesa-vulkan-drivers for a software one); `sirocco info` shows what is found.";

/** Dawn toggles without which it does not offer shader-f16 on NVIDIA. */
const F16_ON_NVIDIA = ["vulkan_enable_f16_on_nvidia", "use_vulkan_memory_model"];

/** Dawn toggles that drop bounds checks and zeroing in shaders. The kernel tests run with the checks. */
const UNCHECKED = ["disable_robustness", "disable_workgroup_init"];

/** Dawn rounds timestamps to 0.07 ms, a protection that web pages need. A kernel may take less. */
const EXACT_TIMESTAMPS = "disable-dawn-features=timestamp_quantization";

/** Keeps every instance alive: Dawn crashes if one is collected while a device of it exists. */
const alive: GPU[] = [];

/**
 * Opens the adapter with the highest performance, if it is hardware. undefined: there is none, or Dawn does
 * not load.
 * @param unsafeFast whether to drop the bounds checks in shaders
 */
export async function openHardware(unsafeFast = false): Promise<Gpu | undefined> {
  const create = await loadDawn().catch(() => undefined);
  if (!create) return undefined;
  const { found, open } = await request(create, [], unsafeFast);
  return isHardware(found) ? open() : undefined;
}

/**
 * @param adapter part of the name of an adapter, as `listDawnAdapters` gives it; or "webgpu": the one with
 * the highest performance, which may be a software driver
 * @param unsafeFast as for `openHardware`
 * @throws DeviceError if there is no such adapter, or Dawn does not load
 */
export async function openDawn(adapter: string, unsafeFast = false): Promise<Gpu> {
  const create = await loadDawn();
  const chosen = adapter === ANY_WEBGPU ? [] : [`adapter=${await fullName(create, adapter)}`];
  const { open } = await request(create, chosen, unsafeFast);
  return open();
}

interface Requested {
  readonly found: GPUAdapter | null;
  /** @throws DeviceError if nothing was found */
  open(): Promise<Gpu>;
}

async function request(create: Create, chosen: readonly string[], unsafeFast: boolean): Promise<Requested> {
  const features = unsafeFast ? UNCHECKED : [];
  const gpu = start(create, [...chosen, ...enabled(features)]);
  const found = await gpu.requestAdapter({ powerPreference: "high-performance" });
  const lacksF16 = found?.info.vendor === "nvidia" && !found.features.has("shader-f16");
  const withF16 = () => start(create, [...chosen, ...enabled([...features, ...F16_ON_NVIDIA])]);
  return { found, open: () => openDevice(lacksF16 ? withF16() : gpu, HINT, yieldCoresDuring) };
}

const enabled = (features: readonly string[]): string[] =>
  features.length > 0 ? [`enable-dawn-features=${features.join(",")}`] : [];

/** Every adapter that Dawn finds: none if it does not load. */
export async function listDawnAdapters(): Promise<AdapterDescription[]> {
  const create = await loadDawn().catch(() => undefined);
  if (!create) return [];
  const found: AdapterDescription[] = [];
  for (const name of await adapterNames(create)) {
    const adapter = await start(create, [`adapter=${name}`]).requestAdapter();
    if (adapter) found.push(describe(adapter.info, adapter));
  }
  return found;
}

type Create = (options: string[]) => GPU;

async function loadDawn(): Promise<Create> {
  try {
    return (await import("webgpu")).create as Create;
  } catch (cause) {
    const problem = (cause as Error).message.split("\n")[0];
    throw new DeviceError(
      `webgpu: expected the npm package to load, got: ${problem}. Run npm install webgpu.`,
      { code: "no-webgpu", cause },
    );
  }
}

function start(create: Create, options: string[]): GPU {
  const gpu = create([EXACT_TIMESTAMPS, ...options]);
  alive.push(gpu);
  return gpu;
}

async function fullName(create: Create, part: string): Promise<string> {
  const names = await adapterNames(create);
  const name = names.find((candidate) => slug(candidate).includes(slug(part)));
  if (name !== undefined) return name;
  const known = names.map((each) => `"${slug(each)}"`).join(", ");
  throw new DeviceError(
    known
      ? `adapter: expected "cpu" or a part of ${known}, got "${part}". Another GPU needs its driver first.`
      : `adapter: expected "cpu" or a part of a GPU's name, got "${part}", and no GPU is found. ${HINT}`,
    { code: "no-adapter" },
  );
}

/** The spelling of WebGPU's adapter info: "NVIDIA GeForce RTX 3060" -> "nvidia-geforce-rtx-3060". */
const slug = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/-+$/, "");

/** WebGPU cannot list adapters. Dawn names them all in the error for an adapter that does not exist. */
async function adapterNames(create: Create): Promise<string[]> {
  try {
    await start(create, ["adapter=an adapter of no such name"]).requestAdapter();
  } catch (error) {
    return [...(error as Error).message.matchAll(/name: '(.*)'/g)].map(([, name]) => name!);
  }
  return [];
}
