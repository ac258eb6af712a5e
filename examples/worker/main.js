import { loadModelInWorker } from "sirocco";

const story = document.querySelector("#story");
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const model = await loadModelInWorker(undefined, { worker });
for await (const { text } of model.generate("Once upon a time", { temperature: 0, maxTokens: 24 })) story.append(text);
story.dataset.done = "";
