// `npm run bench -- decode [SOURCE] [FORMAT]`: tokens a second of prefill and decode, median of five runs after a warm-up.
import { loadModel } from "sirocco";

const [, source, weights = "auto"] = process.argv.slice(2);
const RUNS = 5;
const PROMPT = 256;
const ANSWER = 64;

const model = await loadModel(source, {
  weights: /** @type {import("sirocco").Plan["weights"]} */ (weights),
});
const { plan, adapter, config } = model;
console.log(
  `${plan.parameters} parameters in ${plan.weights} on ${adapter.name}, window ${config.W ?? "none"}`,
);

/** A prompt that shares nothing with the last one, so that no run finds it in the cache. */
const prompt = (/** @type {number} */ run) =>
  Array.from({ length: PROMPT }, (_, i) => (i * 7 + run) % config.V);

/** @type {{ prefill: number[], decode: number[] }} */
const seconds = { prefill: [], decode: [] };
for (let run = 0; run <= RUNS; run++) {
  for await (const { finish } of model.generate(prompt(run), { maxTokens: ANSWER, ignoreEos: true })) {
    if (!finish || run === 0) continue;
    seconds.prefill.push(finish.prefillMs / 1000);
    seconds.decode.push(finish.decodeMs / 1000);
  }
}
model.dispose();

/** @param {string} name @param {number[]} times @param {number} tokens */
function print(name, times, tokens) {
  const rates = times.map((time) => tokens / time).sort((a, b) => a - b);
  const [least = 0, middle = 0, most = 0] = [rates[0], rates[rates.length >> 1], rates.at(-1)];
  console.log(
    `${name}: ${middle.toFixed(1)} tokens/s (${least.toFixed(1)} to ${most.toFixed(1)}, ${RUNS} runs)`,
  );
}
print(`prefill of ${PROMPT} tokens`, seconds.prefill, PROMPT);
print(`decode of ${ANSWER} tokens`, seconds.decode, ANSWER - 1);
