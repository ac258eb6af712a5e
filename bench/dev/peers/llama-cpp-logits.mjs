// Child process: llama.cpp on the CPU. Writes the logits after each token to a file, [tokens, V] in f32.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { answer } from "./child.mjs";

await answer(async (/** @type {import("./agreement.mjs").LogitsTask} */ { file, installed, ids, V, out }) => {
  const { getLlama, LlamaLogLevel } = await import(pathToFileURL(join(installed, "dist", "index.js")).href);
  const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error });
  const model = await llama.loadModel({ modelPath: file });
  const context = await model.createContext({ contextSize: 512, batchSize: 512 });
  const asked = ids.map((id) => [id, { generateNext: { logits: true } }]);
  const results = await context.getSequence().controlledEvaluate(asked);
  const logits = new Float32Array(ids.length * V);
  for (const [row, { next }] of results.entries())
    for (const [token, logit] of next.logits) logits[row * V + Number(token)] = logit;
  writeFileSync(out, logits);
  return true;
});
