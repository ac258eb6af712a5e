// Child process of full-size-cpu: loads a model, answers once, and says how fast and with how much memory.
import { loadModel } from "sirocco";
import { answer } from "./peers/child.mjs";

/**
 * @typedef {object} Run
 * @property {string} adapter @property {string} weights format @property {number} weightBytes
 * @property {number} loadSeconds @property {number} peakBytes of memory of the process
 * @property {number} prefill tokens/s @property {number} decode tokens/s @property {number[]} ids
 */

await answer(async ({ file, device, prompt, steps }) => {
  const began = performance.now();
  // With a cache of this length weights do not fit one memory of WebAssembly. Tuning would take a minute.
  const model = await loadModel(file, { ...device, contextLength: 4096, tune: false });
  const loadSeconds = (performance.now() - began) / 1000;
  const { weights, weightBytes } = model.plan;
  const ids = [];
  let [prefill, decode] = [0, 0];
  for await (const chunk of model.generate(prompt, {
    temperature: 0,
    maxTokens: steps + 1,
    ignoreEos: true,
  })) {
    ids.push(...chunk.ids);
    if (!chunk.finish) continue;
    prefill = prompt.length / (chunk.finish.prefillMs / 1000);
    decode = steps / (chunk.finish.decodeMs / 1000);
  }
  const peakBytes = 1024 * process.resourceUsage().maxRSS;
  return { adapter: model.adapter.name, weights, weightBytes, loadSeconds, peakBytes, prefill, decode, ids };
});
