// Child process: onnxruntime-node's WebGPU provider, or its code for the CPU. Keys and values stay on the
// device between steps.
import { createRequire } from "node:module";
import { answer } from "./child.mjs";

/** The first index of the largest value. */
const largest = (/** @type {Float32Array} */ values) =>
  values.reduce((best, value, i) => (value > (values[best] ?? 0) ? i : best), 0);

await answer(async ({ file, installed, shape, prompt, warmup, steps, threads }) => {
  const { InferenceSession, Tensor } = createRequire(import.meta.url)(installed);
  const cached = Array.from({ length: shape.L }, (_, i) => [`${i}.key`, `${i}.value`]).flat();
  const session = await InferenceSession.create(file, {
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
    ...(threads === undefined
      ? {
          executionProviders: [{ name: "webgpu" }],
          preferredOutputLocation: Object.fromEntries(
            cached.map((name) => [`present.${name}`, "gpu-buffer"]),
          ),
        }
      : { executionProviders: ["cpu"], intraOpNumThreads: threads }),
  });
  const int64 = (/** @type {number[]} */ values) =>
    new Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);

  const run = async (/** @type {number[]} */ ids) => {
    /** @type {Record<string, any>} */
    let past = {};
    for (const name of cached)
      past[`past_key_values.${name}`] = new Tensor("float32", new Float32Array(0), [1, shape.G, 0, shape.d]);
    let length = 0;
    const step = async (/** @type {number[]} */ next) => {
      length += next.length;
      const attention_mask = int64(Array(length).fill(1));
      const { logits, ...present } = await session.run({ input_ids: int64(next), attention_mask, ...past });
      for (const tensor of Object.values(past)) tensor.dispose();
      past = Object.fromEntries(
        cached.map((name) => [`past_key_values.${name}`, present[`present.${name}`]]),
      );
      return largest(await logits.getData());
    };
    const began = performance.now();
    const answered = [await step(ids)];
    const prefilled = performance.now();
    for (let i = 0; i < steps; i++) answered.push(await step(answered.slice(-1)));
    const seconds = (performance.now() - prefilled) / 1000;
    for (const tensor of Object.values(past)) tensor.dispose();
    return {
      prefill: ids.length / ((prefilled - began) / 1000),
      decode: steps / seconds,
      ids: answered.slice(0, steps),
    };
  };
  await run(warmup);
  return run(prompt);
});
