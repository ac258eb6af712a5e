// Who computes where the npm package `webgpu` does not load, and on how many threads.
import { afterEach, describe, expect, test, vi } from "vitest";
import { limitOf, threadsFor } from "../../engine/cpu/node-threads.ts";
import { DeviceError, listAdapters, planModel, tuneModel } from "../../engine/node.ts";

const family = new URL("../golden/families/one_layer", import.meta.url).pathname;

vi.mock("webgpu", () => {
  throw new Error("no such package");
});
afterEach(() => vi.unstubAllEnvs());

describe("without Dawn's package", () => {
  test("the CPU computes, and is the only adapter", async () => {
    vi.stubEnv("SIROCCO_THREADS", "2");
    const [cpu, ...others] = await listAdapters();
    expect(others).toEqual([]);
    expect(cpu).toMatchObject({ name: "CPU (WebAssembly, 2 threads)", architecture: "wasm", software: true });
    expect((await planModel(family)).adapter).toEqual(cpu);
  });

  test("there is nothing to tune", async () => {
    const error = await tuneModel(family, { threads: 0 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DeviceError);
    expect(error).toMatchObject({ code: "no-adapter", message: expect.stringMatching(/^tune: .*got CPU/) });
  });

  test("a GPU that is asked for is an error", async () => {
    for (const adapter of ["webgpu", "Radeon"]) {
      const error = await planModel(family, { adapter }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(DeviceError);
      expect(error).toMatchObject({
        code: "no-webgpu",
        message: expect.stringContaining("npm install webgpu"),
      });
    }
  });
});

test.each(["-1", "1.5", "129", "four"])("SIROCCO_THREADS is no number of threads: %s", async (given) => {
  vi.stubEnv("SIROCCO_THREADS", given);
  await expect(planModel(family, { adapter: "cpu" })).rejects.toThrow(
    `SIROCCO_THREADS: expected a whole number from 0 to 128, got "${given}".`,
  );
});

test.each([
  {
    cores: "of two threads each",
    logical: 8,
    siblings: ["0,4", "1,5", "2,6", "3,7", "0,4", "1,5", "2,6", "3,7"],
    threads: 3,
  },
  { cores: "of one thread each", logical: 4, siblings: ["0", "1", "2", "3"], threads: 3 },
  { cores: "of which the process may use half", logical: 2, siblings: ["0", "1", "2", "3"], threads: 1 },
  {
    cores: "of one and of two threads",
    logical: 6,
    siblings: ["0-1", "0-1", "2-3", "2-3", "4", "5"],
    threads: 3,
  },
  { cores: "and one only", logical: 1, siblings: ["0"], threads: 1 },
  { cores: "of which there are many", logical: 512, siblings: [], threads: 128 },
])("threads leave one core free: cores $cores", ({ logical, siblings, threads }) => {
  expect(threadsFor(logical, siblings, 128)).toBe(threads);
});

test.each([
  ["50000 100000\n", 1],
  ["150000 100000\n", 1],
  ["400000 100000\n", 4],
  ["max 100000\n", Infinity],
  ["", Infinity],
])("the limit of a container: %j is worth %d processors", (text, processors) => {
  expect(limitOf(text)).toBe(processors);
});
