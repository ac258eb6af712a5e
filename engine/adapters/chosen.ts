// What a call has chosen of the loaded adapters. A lazy chunk.
import type { Adapter } from "../../weights/index.ts";
import type { AdapterChoice } from "../api.ts";
import type { AdapterUse } from "../graph/adapter-use.ts";
import { number, text } from "../options/check.ts";
import { outOfRange, shown, wrongType } from "../options/parameter.ts";
import type { LoadedAdapters } from "./loaded-adapters.ts";

/** Larger ones would make the sums of a model infinite. */
const MAX_SCALE = 1000;

/** What a call has chosen: see adapters.ts. @throws TypeError, RangeError with `parameter` */
export function hold({ loaded, calls }: LoadedAdapters, choice: AdapterChoice): AdapterUse<Adapter> {
  const { name, scale = 1, ...others } = typeof choice === "string" ? { name: choice } : choice;
  if (!text.hasType(name) || !number.hasType(scale) || Object.keys(others).length > 0)
    throw wrongType("adapter", `expected a name or { name, scale }, got ${shown(choice)} of other things.`);
  if (!(Math.abs(scale) <= MAX_SCALE))
    throw outOfRange("adapter", `expected a scale from ${-MAX_SCALE} to ${MAX_SCALE}, got ${scale}.`);
  const adapter = named(loaded, name, "adapter");
  const isDora = [...adapter.changes.values()].some(({ matrix }) => matrix?.magnitude);
  if (scale !== 1 && isDora) {
    throw outOfRange(
      "adapter",
      `expected the scale 1 for ${shown(name)}, whose norms (DoRA) depend on it, got ${scale}. Leave it out.`,
    );
  }
  calls.set(adapter, calls.get(adapter)! + 1);
  return { adapter, scale };
}

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
