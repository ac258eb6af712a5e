// Devices that a test can lose, and models on them.
import { describe, Gpu } from "../../engine/gpu/gpu.ts";
import { yieldCoresDuring } from "../../engine/gpu/yield-cores.ts";
import { loadModel } from "../../engine/load.ts";
import { LoadedModel } from "../../engine/model.ts";
import type { LoadOptions } from "../../engine/node.ts";
import { folderSource } from "../../weights/node.ts";
import { openTestDevice } from "../helpers.ts";
import { type Watch, watchDevice } from "./watch-device.ts";

/** Opens devices like an engine that owns its device, and counts them. */
export class Machine {
  readonly devices: { readonly device: GPUDevice; readonly watch: Watch }[] = [];
  /** Called before every device is opened; if it throws, none is. */
  onOpen: (device: GPUDevice) => void = () => {};

  get device(): GPUDevice {
    return this.devices.at(-1)!.device;
  }

  async load(folder: string, options: LoadOptions = {}): Promise<LoadedModel> {
    const platform = {
      openDevice: () => this.#open(),
      openSource: () => folderSource(folder),
      tuning: { read: async () => undefined, write: async () => {} },
    };
    const model = await loadModel(platform, undefined, options);
    if (model instanceof LoadedModel) return model;
    throw new TypeError("expected the engine's own model");
  }

  async #open(): Promise<Gpu> {
    const device = await openTestDevice();
    this.onOpen(device);
    this.devices.push({ device, watch: watchDevice(device) });
    return new Gpu(device, describe(device.adapterInfo, device), {
      owned: true,
      yieldCores: yieldCoresDuring,
    });
  }
}

/** Loses the device while it computes the n-th submission from now. */
export function loseAtSubmission(device: GPUDevice, n: number): void {
  const submit = device.queue.submit.bind(device.queue);
  let count = 0;
  device.queue.submit = (commands) => {
    submit(commands);
    if (++count === n) device.destroy();
  };
}
