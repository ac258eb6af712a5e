// A worker that loads a model for a page, and reports the result.
import { type LoadOptions, loadModel, type Model } from "../../engine/index.ts";

export interface Order {
  readonly source?: string;
  readonly options?: LoadOptions;
  /** Default: the CPU, which stores the same and has no pipelines to compile. */
  readonly adapter?: "webgpu";
  /** Of `logits`. Default: three tokens. */
  readonly ids?: number[];
  readonly call: "load" | "logits" | "encode" | "generate" | "dispose" | "tuning";
}

let model: Model | undefined;
/** One for all loads, so that pipelines are compiled once: SwiftShader takes seconds. */
let device: GPUDevice | undefined;

const calls: Record<Order["call"], (order: Order) => Promise<unknown>> = {
  async load({ source, options, adapter }) {
    if (adapter) device ??= await (await navigator.gpu.requestAdapter())?.requestDevice();
    model = await loadModel(source, {
      ...options,
      ...(adapter && device ? { device } : { adapter: "cpu" }),
      onProgress: ({ name, loaded }) => postMessage({ progress: name, loaded }),
    });
    return { weights: model.plan.weights };
  },
  encode: async () => model?.encode("Once upon a time"),
  logits: async ({ ids = [1, 40, 2] }) => Array.from((await model?.logits(ids)) ?? []),
  async generate() {
    let answer = "";
    for await (const { text } of model!.generate("Once upon a time", { temperature: 0, maxTokens: 12 }))
      answer += text;
    return answer;
  },
  dispose: async () => model?.dispose(),
  async tuning() {
    const { tuningOpfs } = await import("../../engine/tuning/opfs.ts");
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
