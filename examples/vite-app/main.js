import { loadModel } from "sirocco";

const story = document.querySelector("#story");
const model = await loadModel();
for await (const { text } of model.generate("Once upon a time", { temperature: 0, maxTokens: 24 })) story.append(text);
story.dataset.done = "";
