// Child process: Sirocco. Writes the logits after each token to a file, [tokens, V] in f32.
import { closeSync, openSync, writeSync } from "node:fs";
import { loadModel } from "sirocco";
import { answer } from "./child.mjs";

await answer(async (/** @type {import("./agreement.mjs").LogitsTask} */ { file, ids, out }) => {
  const model = await loadModel(file, { contextLength: 512 });
  const to = openSync(out, "w");
  for (let count = 1; count <= ids.length; count++) writeSync(to, await model.logits(ids.slice(0, count)));
  closeSync(to);
  model.dispose();
  return true;
});
