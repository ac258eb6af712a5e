// What a call has chosen of the loaded adapters. A lazy chunk.
import { MAX_TOGETHER } from "../../kernels/index.ts";
import type { Adapter } from "../../weights/index.ts";
import type { AdapterChoice, ScaledAdapter } from "../api.ts";
import { type AdapterMix, type AdapterUse, mixOf } from "../graph/adapter-use.ts";
import { number, text } from "../options/check.ts";
import { outOfRange, shown, wrongType } from "../options/parameter.ts";
import type { LoadedAdapters } from "./loaded-adapters.ts";

/** Larger ones would make the sums of a model infinite. */
const MAX_SCALE = 1000;

/** What a call has chosen: see adapters.ts. @throws TypeError, RangeError with `parameter` */
export function hold(
  { loaded, calls }: LoadedAdapters,
  choice: AdapterChoice,
): AdapterMix<Adapter> | undefined {
  const uses = [choice].flat().map((each) => useOf(loaded, each as ScaledAdapter));
  const twice = uses.find(({ adapter }, i) => uses.findIndex((use) => use.adapter === adapter) < i);
  if (twice) throw outOfRange("adapter", `expected each once, got ${shown(twice.adapter.name)} twice.`);
  const mix = mixOf(uses, loaded);
  if (!mix) return undefined;
  if (mix.length > MAX_TOGETHER)
    throw outOfRange("adapter", `expected at most ${MAX_TOGETHER} together, got ${mix.length}.`);
  const dora = mix.find(({ adapter }) => isDora(adapter));
  if (dora && mix.length > 1) {
    throw outOfRange(
      "adapter",
      `expected ${shown(dora.adapter.name)} alone, whose norms (DoRA) are those of its own sum, got others beside it. Leave them out.`,
    );
  }
  if (dora && dora.scale !== 1) {
    throw outOfRange(
      "adapter",
      `expected the scale 1 for ${shown(dora.adapter.name)}, whose norms (DoRA) depend on it, got ${dora.scale}. Leave it out.`,
    );
  }
  for (const { adapter } of mix) calls.set(adapter, calls.get(adapter)! + 1);
  return mix;
}

function useOf(loaded: readonly Adapter[], choice: ScaledAdapter): AdapterUse<Adapter> {
  const { name, scale = 1, ...others } = typeof choice === "string" ? { name: choice } : choice;
  if (!text.hasType(name) || !number.hasType(scale) || Object.keys(others).length > 0)
    throw wrongType("adapter", `expected a name or { name, scale }, got ${shown(choice)} of other things.`);
  if (!(Math.abs(scale) <= MAX_SCALE))
    throw outOfRange("adapter", `expected a scale from ${-MAX_SCALE} to ${MAX_SCALE}, got ${scale}.`);
  return { adapter: named(loaded, name, "adapter"), scale };
}

const isDora = ({ changes }: Adapter): boolean =>
  [...changes.values()].some(({ matrix }) => matrix?.magnitude);

/** @throws RangeError with `parameter` for a name that is not loaded */
export function named(loaded: readonly Adapter[], name: string, parameter: string): Adapter {
  const adapter = loaded.find((each) => each.name === name);
  if (adapter) return adapter;
  const known =
    loaded.length > 0
      ? `one of ${loaded.map((each) => shown(each.name)).join(", ")}`
      : "none, as none is loaded";
  throw outOfRange(parameter, `expected ${known}, got ${shown(name)}. Load it with addAdapter.`);
}
