// The panel on a page of its own, for working on it and for its test: continues a text with the model at
// `?model=`.
import { loadModel } from "../../engine/index.ts";
import { chosenAdapter } from "../computes.ts";
import { type Arrival, speed } from "../speed.ts";
import { mountInspect } from "./panel.ts";

const element = <T extends Element>(selector: string): T => {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`inspect: expected ${selector} in the page, got none.`);
  return found;
};

const source = new URLSearchParams(location.search).get("model") ?? "/weights/tiny-mistral/";
const model = await loadModel(new URL(source, location.href).href, chosenAdapter());
const panel = mountInspect(element("#panel"), model);

element<HTMLFormElement>("form").addEventListener("submit", (event) => {
  event.preventDefault();
  void goOn(element<HTMLInputElement>("#prompt").value, element<HTMLInputElement>("#tokens").valueAsNumber);
});

async function goOn(prompt: string, maxTokens: number): Promise<void> {
  const promptIds = await model.encode(prompt);
  const ids: number[] = [];
  const pieces: Arrival[] = [];
  for await (const chunk of model.generate(promptIds, { maxTokens, temperature: 0, ignoreEos: true })) {
    ids.push(...chunk.ids);
    pieces.push({ at: performance.now(), tokens: chunk.ids.length });
    const tokensPerSecond = speed(pieces);
    panel.update({
      ids: [...ids],
      promptIds,
      position: promptIds.length + ids.length,
      ...(tokensPerSecond !== undefined && { tokensPerSecond }),
      ...(chunk.finish ? { finish: chunk.finish } : {}),
    });
  }
}
