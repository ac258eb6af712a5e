// Child process: llama.cpp's Vulkan backend or its code for the CPU, through node-llama-cpp, with the GGUF
// file in Q4_0.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { answer } from "./child.mjs";

await answer(async ({ file, installed, prompt, warmup, steps, threads }) => {
  const { getLlama, LlamaLogLevel } = await import(pathToFileURL(join(installed, "dist", "index.js")).href);
  const onCpu = threads !== undefined;
  const llama = await getLlama({
    gpu: onCpu ? false : "vulkan",
    build: "never",
    logLevel: LlamaLogLevel.error,
    vramPadding: 0,
    ...(onCpu && { maxThreads: threads }),
  });
  const ignoreMemorySafetyChecks = true;
  const model = await llama.loadModel({
    modelPath: file,
    gpuLayers: onCpu ? 0 : "max",
    ignoreMemorySafetyChecks,
  });
  const context = await model.createContext({
    contextSize: 512,
    batchSize: 512,
    flashAttention: true,
    ignoreMemorySafetyChecks,
    ...(onCpu && { threads }),
  });
  const sequence = context.getSequence();
  const run = async (/** @type {number[]} */ ids) => {
    await sequence.clearHistory();
    const began = performance.now();
    // All but the last token, which is the first decode step.
    await sequence.evaluateWithoutGeneratingNewTokens(ids.slice(0, -1));
    const prefilled = performance.now();
    const answered = [];
    const options = { temperature: 0, topK: 1, yieldEogToken: true };
    for await (const id of sequence.evaluate(ids.slice(-1), options)) {
      if (answered.push(id) >= steps) break;
    }
    const seconds = (performance.now() - prefilled) / 1000;
    return {
      prefill: (ids.length - 1) / ((prefilled - began) / 1000),
      decode: steps / seconds,
      ids: answered.map(Number),
    };
  };
  await run(warmup);
  return run(prompt);
});
