// Child process: Sirocco, on an adapter q4 from the bf16 checkpoint, on the CPU the GGUF file in Q4_0.
import { loadModel } from "sirocco";
import { answer } from "./child.mjs";

await answer(async ({ file, prompt, warmup, steps, threads }) => {
  const contextLength = 512;
  const model = await (threads === undefined
    ? loadModel(file, { contextLength, weights: "q4" })
    : loadModel(file, { contextLength, adapter: "cpu", threads }));
  const run = async (/** @type {number[]} */ ids) => {
    const answered = [];
    let reading = { prefill: 0, decode: 0 };
    // One more than the steps: prefill gives the first id.
    for await (const chunk of model.generate(ids, {
      temperature: 0,
      maxTokens: steps + 1,
      ignoreEos: true,
    })) {
      answered.push(...chunk.ids);
      if (!chunk.finish) continue;
      const { prefillMs, decodeMs } = chunk.finish;
      reading = { prefill: ids.length / (prefillMs / 1000), decode: steps / (decodeMs / 1000) };
    }
    return { ...reading, ids: answered.slice(0, steps) };
  };
  await run(warmup);
  return run(prompt);
});
