// The RoPE fields of config.json, in the old and the new spelling.
import { Fields } from "./fields.ts";
import { isObject } from "./json.ts";
import type { QueryScale, RopeScaling } from "./model-config.ts";

export interface Rope {
  /** Default 10000. */
  readonly theta: number;
  /** Whether the file gives theta. */
  readonly given: boolean;
  readonly scaling: RopeScaling | null;
  readonly queryScale: QueryScale | null;
}

/**
 * `rope_theta` and `rope_scaling`, or `rope_parameters`, which holds both and wins.
 * @param scalesQueries whether the architecture has `llama_4_scaling_beta`; others must not
 */
export async function parseRope(fields: Fields, scalesQueries = false): Promise<Rope> {
  const parameters = inner(fields, "rope_parameters");
  const scaling = parameters ?? inner(fields, "rope_scaling");
  const theta = parameters?.given("rope_theta") ? parameters : fields;
  const given = theta.given("rope_theta");
  const rope = { theta: given ? theta.number("rope_theta", 1, 1e15) : 10000, given };
  if (!scaling) return { ...rope, scaling: null, queryScale: null };
  const { parseScaling, parseQueryScale } = await import("./rope-scaling.ts");
  const found = parseScaling(scaling);
  if (found?.type === "yarn" && rope.theta === 1) throw theta.wrong("rope_theta", "more than 1");
  return { ...rope, scaling: found, queryScale: parseQueryScale(scaling, scalesQueries) };
}

function inner(fields: Fields, name: string): Fields | undefined {
  if (!fields.given(name)) return undefined;
  const value = fields.get(name);
  if (!isObject(value)) throw fields.wrong(name, "an object or null");
  return new Fields(value, `${fields.where}: ${name}`);
}
