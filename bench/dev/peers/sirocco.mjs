// Child process: Sirocco, q4 from the bf16 checkpoint.
import { loadModel } from "sirocco";
import { answer } from "./child.mjs";

await answer(async ({ file, prompt, warmup, steps }) => {
  const model = await loadModel(file, { weights: "q4", contextLength: 512 });
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
