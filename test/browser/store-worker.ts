// A worker that loads a model as a page asks for it, and says what came of it.
import { type LoadOptions, loadModel, type Model } from "../../engine/index.ts";

export interface Order {
  readonly source?: string;
  readonly options?: LoadOptions;
  /** What to do; `logits` is the sum of a short text's. */
  readonly call: "load" | "logits" | "dispose" | "tuning";
}

let model: Model | undefined;

const calls: Record<Order["call"], (order: Order) => Promise<unknown>> = {
  async load({ source, options }) {
    model = await loadModel(source, {
      ...options,
      onProgress: ({ name, loaded }) => postMessage({ progress: name, loaded }),
    });
    return { weights: model.plan.weights };
  },
  logits: async () => Array.from((await model?.logits([1, 403, 2])) ?? []),
  dispose: async () => model?.dispose(),
  async tuning() {
    const { tuningOpfs } = await import("../../engine/tuning-opfs.ts");
    const before = await tuningOpfs.read("none.json");
    await tuningOpfs.write("some.json", "first, and longer");
    await tuningOpfs.write("some.json", "second");
    return [before, await tuningOpfs.read("some.json")];
  },
};

self.onmessage = async ({ data }: MessageEvent<Order>) => {
  try {
    postMessage({ result: await calls[data.call](data) });
  } catch (error) {
    const { name, message, missingBytes } = error as Error & { missingBytes?: number };
    postMessage({ error: { name, message, missingBytes } });
  }
};
