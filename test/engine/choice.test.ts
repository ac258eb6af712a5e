// Who computes: a hardware GPU, or else the CPU, unless another is asked for.
import { afterEach, expect, test, vi } from "vitest";
import { listAdapters, loadModel, planModel } from "../../engine/node.ts";

const family = new URL("../golden/families/one_layer", import.meta.url).pathname;
const architecture = async (adapter?: string) =>
  (await planModel(family, adapter === undefined ? {} : { adapter })).adapter.architecture;

afterEach(() => vi.unstubAllEnvs());

test("a hardware GPU, else the CPU in place of a software driver", async () => {
  vi.stubEnv("SIROCCO_ADAPTER", undefined);
  const [gpu, ...others] = await listAdapters();
  expect(others.at(-1)?.architecture).toBe("wasm");
  expect(await architecture()).toBe(gpu!.software ? "wasm" : gpu!.architecture);
  // An empty variable is none.
  vi.stubEnv("SIROCCO_ADAPTER", "");
  expect(await architecture()).toBe(gpu!.software ? "wasm" : gpu!.architecture);
});

test("by SIROCCO_ADAPTER, or by the option, which comes first", async () => {
  const [{ name, architecture: gpu } = { name: "" }] = await listAdapters();
  for (const [wanted, expected] of [
    ["cpu", "wasm"],
    ["webgpu", gpu],
    [name.slice(2, 9), gpu],
  ]) {
    vi.stubEnv("SIROCCO_ADAPTER", wanted);
    expect(await architecture(), wanted).toBe(expected);
    vi.stubEnv("SIROCCO_ADAPTER", "no such adapter");
    expect(await architecture(wanted), wanted).toBe(expected);
  }
});

test("without a driver the CPU answers, with the threads that are asked for", async () => {
  vi.stubEnv("SIROCCO_ADAPTER", undefined);
  vi.stubEnv("VK_DRIVER_FILES", "/there/is/no/driver.json");
  vi.stubEnv("SIROCCO_THREADS", "3");
  expect((await planModel(family)).adapter.name).toBe("CPU (WebAssembly, 3 threads)");
  const model = await loadModel(family, { threads: 0 });
  expect(model.adapter.name).toBe("CPU (WebAssembly, 1 thread)");
  expect((await model.logits([1, 2])).length).toBeGreaterThan(0);
  model.dispose();
});
