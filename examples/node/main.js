import { loadModel } from "sirocco";

const model = await loadModel();
for await (const { text } of model.generate("Once upon a time", { temperature: 0, maxTokens: 24 })) process.stdout.write(text);
model.dispose();
