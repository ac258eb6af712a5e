// The checks in a host: a page, or Deno. Bundled; the other side is host.ts.
import { type Nudge, nudgeIfItHelps } from "../../engine/gpu/nudge.ts";
import { loadModel, type Model } from "../../engine/index.ts";
import type { GoldenModel } from "../engine/golden.ts";
import { runsOn } from "../kernels/run-kernel.ts";
import { checks, type HostCheck, type Suite } from "./checks.ts";

declare global {
  var host: typeof program;
}

let device: GPUDevice;
/** Holds the folder test/golden. */
let base: string;
let nudge: Nudge | undefined;
let errors: string[] = [];
let loaded: { readonly golden: GoldenModel; readonly model: Model } | undefined;

const program = {
  /** @returns the indices of the checks that can run here */
  async open(address: string): Promise<Record<Suite, number[]>> {
    base = address;
    const adapter = await navigator.gpu.requestAdapter();
    if (!adapter) throw new Error("no WebGPU adapter");
    const wanted: GPUFeatureName[] = ["shader-f16", "subgroups", "timestamp-query"];
    const requiredFeatures = wanted.filter((feature) => adapter.features.has(feature));
    device = await adapter.requestDevice({ requiredFeatures });
    device.addEventListener("uncapturederror", ({ error }) => errors.push(error.message));
    device.lost.then(({ message }) => errors.push(`the device is lost: ${message}`));
    nudge = await nudgeIfItHelps(device);
    const able = (all: readonly HostCheck[]) =>
      all.flatMap(({ kernel }, i) => (!kernel || runsOn(device, kernel) ? [i] : []));
    const { contract, compiles, golden } = checks;
    return { contract: able(contract), compiles: able(compiles), golden: able(golden) };
  },

  /** @returns what is wrong; nothing if the check passes */
  async run(suite: Suite, index: number): Promise<string | undefined> {
    errors = [];
    try {
      const checked = checks[suite][index]?.run(device, load);
      // A model nudges by itself.
      if (checked && suite === "contract") nudge?.during(checked);
      await checked;
    } catch (error) {
      errors.unshift(error instanceof Error ? error.message : String(error));
    }
    return errors.length > 0 ? errors.join("\n") : undefined;
  },
};

async function load(golden: GoldenModel): Promise<Model> {
  if (loaded?.golden === golden) return loaded.model;
  loaded?.model.dispose();
  loaded = undefined;
  const { family, options } = golden;
  const source = family && `${base}golden/families/${family}/`;
  const model = await loadModel(source, { ...options, device });
  loaded = { golden, model };
  return model;
}

globalThis.host = program;
