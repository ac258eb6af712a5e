// A loaded model as `sirocco eval` asks it: always with the adapter of --adapter-model.
import type { Model } from "./engine.ts";
import { adapterOf } from "./options.ts";

export function adapted(model: Model): Pick<Model, "contextLength" | "encode" | "logits" | "score"> {
  const adapter = adapterOf(model);
  return {
    contextLength: model.contextLength,
    encode: (text, options) => model.encode(text, options),
    logits: (ids, options) => model.logits(ids, { ...options, ...adapter }),
    score: (text, options) => model.score(text, { ...options, ...adapter }),
  };
}
