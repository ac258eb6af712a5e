// Child process: transformers.js with onnxruntime's WebAssembly, in headless Chromium.
import { dirname } from "node:path";
import { answer } from "./child.mjs";
import { inPage } from "./page.mjs";

await answer(({ file, config, installed, prompt, warmup, steps, threads }) => {
  const packages = dirname(dirname(installed));
  return inPage(
    {
      "/packages/": packages,
      "/models/m/onnx/model_q4.onnx": file,
      "/models/m/config.json": config,
    },
    {
      transformers: "/packages/@huggingface/transformers/dist/transformers.web.js",
      "onnxruntime-web/webgpu": "/packages/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs",
      "onnxruntime-common": "/packages/onnxruntime-common/dist/esm/index.js",
      "@huggingface/jinja": "/packages/@huggingface/jinja/dist/index.js",
      "@huggingface/tokenizers": "/packages/@huggingface/tokenizers/dist/tokenizers.mjs",
    },
    measure,
    { prompt, warmup, steps, threads },
  );
});

/** @param {Pick<import("./child.mjs").Task, "prompt" | "warmup" | "steps" | "threads">} task */
async function measure({ prompt, warmup, steps, threads }) {
  const name = "transformers";
  const { AutoModelForCausalLM, Tensor, env } = await import(name);
  const wasm = "/packages/onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify";
  Object.assign(env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: "/models/" });
  Object.assign(env.backends.onnx.wasm, {
    wasmPaths: { mjs: `${wasm}.mjs`, wasm: `${wasm}.wasm` },
    numThreads: threads,
  });
  const model = await AutoModelForCausalLM.from_pretrained("m", { device: "wasm", dtype: "q4" });

  const run = async (/** @type {number[]} */ ids) => {
    /** @type {{ at: number, id: number }[]} */
    const answered = [];
    const int64 = (/** @type {number[]} */ values) =>
      new Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
    const streamer = {
      put: (/** @type {bigint[][]} */ [values]) => {
        if (values?.length === 1) answered.push({ at: performance.now(), id: Number(values[0]) });
      },
      end: () => undefined,
    };
    const began = performance.now();
    await model.generate({
      inputs: int64(ids),
      attention_mask: int64(ids.map(() => 1)),
      max_new_tokens: steps + 1,
      do_sample: false,
      streamer,
    });
    const [first, last] = [answered[0], answered[steps]];
    if (!first || !last) throw new Error(`expected ${steps + 1} tokens, got ${answered.length}`);
    return {
      prefill: ids.length / ((first.at - began) / 1000),
      decode: steps / ((last.at - first.at) / 1000),
      ids: answered.slice(0, steps).map(({ id }) => id),
    };
  };
  await run(warmup);
  return run(prompt);
}
