// decode: tokens a second at several contexts, the cost of a token, and the limit by the adapter's bandwidth.
import type { Shape } from "../engine/graph/shape.ts";
import { costOf, idealBytes } from "./cost.ts";
import { watchCreations } from "./creations.ts";
import { exactly, figure, repeat } from "./measure.ts";
import { runSteps, stepCount } from "./steps.ts";
import type { Suite } from "./suite.ts";

/** Maximum steps of a run. A context without a window needs room for them. */
const MAX_STEPS = 64;

export const decode: Suite = async (bench) => {
  const { loaded, budget, signal } = bench;
  await loaded.measure(async ({ gpu, decoder, weights }) => {
    const { copyGigabytesPerSecond } = await bench.limits(gpu);
    decoder.configure(0, { settings: {}, seed: 0, prompt: [] });
    for (const context of contexts(decoder.shape, loaded.config.W)) {
      if (signal.aborted) return;
      bench.doing(`context ${context}`);
      const params = { context };
      const count = await stepCount(decoder, context, budget.seconds);
      const runs = await repeat(budget, signal, () => runSteps(decoder, context, count));
      let made = 0;
      const stop = watchCreations(gpu.device, () => {
        made++;
      });
      await runSteps(decoder, context, 4);
      stop();
      const dispatches = decoder.dispatchesOf(context);
      const { total } = costOf(dispatches, context).traffic;
      const perToken = runs.map(({ seconds }) => seconds / count);
      const limit = (copyGigabytesPerSecond * 1e9) / total;
      bench.add("tokensPerSecond", "tokens/s", figure(perToken.map((s) => 1 / s)), params);
      bench.add("gigabytesPerSecond", "GB/s", figure(perToken.map((s) => total / s / 1e9)), params);
      bench.add("limitTokensPerSecond", "tokens/s", exactly(limit), params);
      bench.add("shareOfLimit", "of the limit", figure(perToken.map((s) => 1 / s / limit)), params);
      bench.add("bytesPerToken", "bytes", exactly(total), params);
      bench.add(
        "bytesOverIdeal",
        "times",
        exactly(total / idealBytes(weights, decoder.shape, context)),
        params,
      );
      bench.add("dispatchesPerToken", "count", exactly(dispatches.length), params);
      bench.add("hostMsPerToken", "ms", figure(runs.map(({ hostMs }) => hostMs)), params);
      bench.add("allocationsPerToken", "count", exactly(made / 4), params);
    }
  });
};

/** Tokens in the cache: none, half a window, one, four; without a window, fractions of the context. */
function contexts({ positions }: Shape, W: number | null): number[] {
  const last = Math.max(0, positions - MAX_STEPS);
  const wanted = W === null ? [0, last / 4, last / 2, last] : [0, W / 2, W, 4 * W];
  return [...new Set(wanted.map((context) => Math.min(last, Math.floor(context))))];
}
