// A loaded model as `sirocco eval` asks it: always with the adapters of --adapter-model.
import type { Model } from "./engine.ts";
import { adapterOf, type LoadingOptions } from "./options.ts";

export function adapted(
  model: Model,
  options: LoadingOptions,
): Pick<Model, "contextLength" | "encode" | "logits" | "score"> {
  const adapter = adapterOf(options);
  return {
    contextLength: model.contextLength,
    encode: (text, options) => model.encode(text, options),
    logits: (ids, options) => model.logits(ids, { ...options, ...adapter }),
    score: (text, options) => model.score(text, { ...options, ...adapter }),
  };
}
