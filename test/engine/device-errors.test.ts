// Failures of adapters and devices become a typed error of the affected call, never wrong numbers or silence.
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  DeviceError,
  DeviceLostError,
  listAdapters,
  loadModel,
  type Model,
  planModel,
} from "../../engine/node.ts";
import { expectNoUnhandledRejections, openTestDevice } from "../helpers.ts";
import { watchDevice } from "./watch-device.ts";

const family = new URL("../golden/families/one_layer", import.meta.url).pathname;
const reasonOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "no error",
    (reason: unknown) => reason,
  );

expectNoUnhandledRejections();
afterEach(() => vi.unstubAllEnvs());

async function answer(model: Model, maxTokens: number, onToken = (_count: number) => {}): Promise<number[]> {
  const ids: number[] = [];
  for await (const chunk of model.generate([1, 5, 9], { temperature: 0, maxTokens, ignoreEos: true })) {
    ids.push(...chunk.ids);
    onToken(ids.length);
  }
  return ids;
}

test("a refused command fails the current answer only; the loss of a device that the caller owns fails all later calls", async () => {
  const device = await openTestDevice();
  const model = await loadModel(family, { device, chunkLength: 16 });
  const expected = await answer(model, 40);

  const planted = await reasonOf(
    answer(model, 200, (count) => {
      if (count === 7) device.createBuffer({ label: "planted", size: 2 ** 50, usage: 8 });
    }),
  );
  expect(planted).toBeInstanceOf(DeviceError);
  expect(planted).not.toBeInstanceOf(DeviceLostError);
  expect((planted as Error).message).toMatch(
    new RegExp(`^${model.adapter.name}: the device refused a command: .*planted`, "s"),
  );
  // More tokens than staging buffers: every buffer is still usable.
  expect(await answer(model, 40)).toEqual(expected);

  const waiting: Promise<unknown>[] = [];
  const lost = await reasonOf(
    answer(model, 200, (count) => {
      if (count !== 3) return;
      waiting.push(reasonOf(model.logits([1, 2])));
      device.destroy();
    }),
  );
  waiting.push(reasonOf(model.score([1, 2, 3])), reasonOf(answer(model, 3)));
  for (const error of [lost, ...(await Promise.all(waiting))]) {
    expect(error).toBeInstanceOf(DeviceLostError);
    // No new device is opened.
    expect((error as Error).message).toMatch(/the device is lost .* It is the caller's own: load the model/);
  }
  model.dispose();
});

test("a device lost while loading", async () => {
  const device = await openTestDevice(["backend=null"]);
  const onProgress = ({ loaded }: { loaded: number }) => {
    if (loaded > 20_000) device.destroy();
  };
  expect(await reasonOf(loadModel(family, { device, onProgress }))).toBeInstanceOf(DeviceLostError);
});

test("a refused buffer, at any position, fails loading with its name and leaves no buffer behind", async () => {
  const device = await openTestDevice(["backend=null"]);
  const watch = watchDevice(device);
  let refused = 0;
  for (;;) {
    watch.refuseIn = refused + 1;
    const outcome = await loadModel(family, { device, weights: "q4" }).catch((reason: unknown) => reason);
    // Past the last one nothing is refused.
    if (watch.refuseIn > 0) {
      (outcome as Model).dispose();
      break;
    }
    expect(outcome, `buffer ${refused}`).toBeInstanceOf(DeviceError);
    expect((outcome as Error).message).toMatch(/^.+: the device refused a command: .*1125899906842624/s);
    expect([...watch.live], `buffer ${refused}`).toEqual([]);
    refused++;
  }
  expect(refused).toBeGreaterThan(30);
  expect([...watch.live]).toEqual([]);
});

describe("adapters", () => {
  test("every listed name opens that adapter, and so does a part of it in any case", async () => {
    const adapters = await listAdapters();
    expect(adapters.length).toBeGreaterThan(0);
    for (const { name, vendor, architecture } of adapters) {
      const { adapter } = await planModel(family, { adapter: name });
      expect(adapter).toMatchObject({ name, vendor, architecture });
      const part = name.slice(0, 8).toUpperCase();
      expect((await planModel(family, { adapter: part })).adapter).toMatchObject({ vendor, architecture });
    }
  });

  test("an unknown name is refused with a list of the known ones", async () => {
    const error = await reasonOf(loadModel(family, { adapter: "Voodoo 2" }));
    expect(error).toBeInstanceOf(DeviceError);
    const { message } = error as Error;
    expect(message).toMatch(/^adapter: expected "cpu" or a part of ".+", got "Voodoo 2"\. Another GPU/);
    for (const { name } of (await listAdapters()).slice(0, -1)) expect(message).toContain(name);
  });

  if (process.platform !== "linux") return;
  // The Vulkan loader reads its environment for each instance, and Dawn makes one for each call.
  test("without a driver, a wanted adapter is an error that says what to install", async () => {
    vi.stubEnv("VK_DRIVER_FILES", "/there/is/no/driver.json");
    for (const adapter of ["webgpu", "any"]) {
      const error = await reasonOf(loadModel(family, { adapter }));
      expect(error).toBeInstanceOf(DeviceError);
      expect((error as Error).message).toMatch(
        /expected .* got .*Install a Vulkan driver .*mesa-vulkan-drivers/,
      );
    }
    expect((await listAdapters()).map(({ architecture }) => architecture)).toEqual(["wasm"]);
  });
});
