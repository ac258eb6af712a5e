import { loadModel } from "sirocco";

const model = await loadModel();
const encoder = new TextEncoder();
for await (const { text } of model.generate("Once upon a time", { temperature: 0, maxTokens: 24 })) {
  await Deno.stdout.write(encoder.encode(text));
}
model.dispose();
