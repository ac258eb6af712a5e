// A page with nothing but the engine, for tests to call: `sirocco` is what the package exports.
import * as exported from "../../../engine/index.ts";
import { createLanguageModel } from "../../../engine/prompt-api.ts";

declare global {
  var sirocco: typeof exported & { createLanguageModel: typeof createLanguageModel };
}
// On WebGPU, though Chromium's adapter is a software driver here: these tests are of the way of a GPU.
const onWebGpu =
  <S, M>(load: (source?: S, options?: exported.LoadOptions) => Promise<M>) =>
  (source?: S, options?: exported.LoadOptions) =>
    load(source, { adapter: "webgpu", ...options });
globalThis.sirocco = {
  ...exported,
  createLanguageModel,
  loadModel: onWebGpu(exported.loadModel),
  loadModelInWorker: onWebGpu(exported.loadModelInWorker),
};
