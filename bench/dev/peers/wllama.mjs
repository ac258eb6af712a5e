// Child process: wllama, llama.cpp's CPU code as WebAssembly, in headless Chromium.
import { answer } from "./child.mjs";
import { inPage } from "./page.mjs";

await answer(({ file, installed, prompt, warmup, steps, threads }) =>
  inPage({ "/wllama/": installed, "/model.gguf": file }, {}, measure, { prompt, warmup, steps, threads }),
);

/** @param {Pick<import("./child.mjs").Task, "prompt" | "warmup" | "steps" | "threads">} task */
async function measure({ prompt, warmup, steps, threads }) {
  const path = "/wllama/esm/index.js";
  const { Wllama } = await import(path);
  const wllama = new Wllama({ default: "/wllama/esm/wasm/wllama.wasm" });
  const model = await (await fetch("/model.gguf")).blob();
  await wllama.loadModel([model], { n_ctx: 512, n_batch: 512, n_threads: threads, n_gpu_layers: 0 });
  if (wllama.getNumThreads() !== threads)
    throw new Error(`expected ${threads} threads, got ${wllama.getNumThreads()}`);

  const run = async (/** @type {number[]} */ ids) => {
    // One more than the steps: prefill gives the first id, and predicted_ms begins after it.
    const options = { temperature: 0, max_tokens: steps + 1, cache_prompt: false, ignore_eos: true };
    // It takes text only, and begins it with the token 1. Each other token is the letter t and its id.
    const text = ids.slice(1).map((id) => `t${id}`);
    const { choices, timings } = await wllama.createCompletion({ prompt: text.join(""), ...options });
    if (timings.prompt_n !== ids.length || timings.predicted_n !== steps + 1)
      throw new Error(`expected ${ids.length} and ${steps + 1} tokens, got ${JSON.stringify(timings)}`);
    const answered = [...choices[0].text.matchAll(/t(\d+)/g)].map(([, id]) => Number(id));
    return {
      prefill: ids.length / (timings.prompt_ms / 1000),
      decode: steps / (timings.predicted_ms / 1000),
      ids: answered.slice(0, steps),
    };
  };
  await run(warmup);
  return run(prompt);
}
