// prefill: tokens a second of prompts of several lengths.
import type { Decoder } from "../engine/graph/decoder.ts";
import { costOf } from "./cost.ts";
import { figure, repeat, timed } from "./measure.ts";
import type { Suite } from "./suite.ts";

const LENGTHS = [32, 512, 4096];
const WARM_UP = 32;

export const prefill: Suite = async (bench) => {
  const { loaded, budget, signal } = bench;
  await loaded.measure(async ({ decoder }) => {
    const { positions, V } = decoder.shape;
    for (const wanted of LENGTHS) {
      if (signal.aborted) return;
      const tokens = Math.min(wanted, positions);
      if (tokens < wanted) bench.note(`prefill: ${wanted} tokens do not fit the context of ${positions}`);
      if (tokens < wanted && LENGTHS.includes(tokens)) continue;
      bench.doing(`${tokens} tokens`);
      const ids = Array.from({ length: tokens }, (_, i) => (i * 7 + 1) % V);
      const times = await repeat(
        budget,
        signal,
        () => timed(() => decoder.prefill(0, ids, 0, signal)),
        // A short prompt runs the same kernels, in less time.
        { warmUp: () => decoder.prefill(0, ids.slice(0, WARM_UP), 0) },
      );
      const flops = promptFlops(decoder, tokens);
      const params = { tokens };
      bench.add("tokensPerSecond", "tokens/s", figure(times.map((s) => tokens / s)), params);
      bench.add("milliseconds", "ms", figure(times.map((s) => 1000 * s)), params);
      bench.add("gigaflopsPerSecond", "GFLOP/s", figure(times.map((s) => flops / s / 1e9)), params);
    }
  });
};

/** Floating-point operations of all chunks of a prompt. */
function promptFlops({ prefillDispatches, shape: { chunkLength } }: Decoder, tokens: number): number {
  let flops = 0;
  for (let at = 0; at < tokens; at += chunkLength) {
    const T = Math.min(chunkLength, tokens - at);
    flops += costOf(prefillDispatches, at + T - 1, T).flops;
  }
  return flops;
}
