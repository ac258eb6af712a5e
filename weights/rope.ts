// The RoPE fields of config.json, in the old and the new spelling.
import { ADVICE, Fields } from "./fields.ts";
import { isObject } from "./json.ts";

/** How RoPE's frequencies are scaled for contexts longer than the model was first trained for. */
export type RopeScaling =
  | {
      /** All frequencies are divided by `factor`. */
      readonly type: "linear";
      /** How many times longer the context is. */
      readonly factor: number;
    }
  | {
      /**
       * Llama 3.1's rule: low frequencies are divided by `factor`, high ones stay, those between are
       * interpolated.
       */
      readonly type: "llama3";
      /** How many times longer the context is. */
      readonly factor: number;
      /** Frequencies below this many turns in `originalMaxPositions` are low. */
      readonly lowFreqFactor: number;
      /** Frequencies above this many turns in `originalMaxPositions` are high. */
      readonly highFreqFactor: number;
      /** Context that the model was first trained for, in tokens. */
      readonly originalMaxPositions: number;
    };

export interface Rope {
  readonly theta: number;
  readonly scaling: RopeScaling | null;
}

const MAX_POSITIONS = 2 ** 30;

/** `rope_theta` and `rope_scaling`, or `rope_parameters`, which holds both and wins. */
export function parseRope(fields: Fields): Rope {
  const parameters = inner(fields, "rope_parameters");
  const scaling = parameters ?? inner(fields, "rope_scaling");
  const theta = parameters?.given("rope_theta") ? parameters : fields;
  return {
    theta: theta.given("rope_theta") ? theta.number("rope_theta", 1, 1e15) : 10000,
    scaling: scaling ? parseScaling(scaling) : null,
  };
}

function inner(fields: Fields, name: string): Fields | undefined {
  if (!fields.given(name)) return undefined;
  const value = fields.get(name);
  if (!isObject(value)) throw fields.wrong(name, "an object or null");
  return new Fields(value, `${fields.where}: ${name}`);
}

function parseScaling(fields: Fields): RopeScaling | null {
  // Old configs have `type`, newer ones `rope_type`, some have both.
  const key = fields.given("rope_type") ? "rope_type" : "type";
  const type = fields.get(key) ?? "default";
  if (fields.given("partial_rotary_factor") && fields.get("partial_rotary_factor") !== 1) {
    throw fields.wrong("partial_rotary_factor", "1", "Sirocco does not run this; choose another checkpoint.");
  }
  switch (type) {
    case "default":
      return null;
    case "linear":
      return { type: "linear", factor: fields.number("factor", 1, 1e6) };
    case "llama3": {
      const lowFreqFactor = fields.number("low_freq_factor", 1e-3, 1e6);
      const highFreqFactor = fields.number("high_freq_factor", 1e-3, 1e6);
      if (highFreqFactor <= lowFreqFactor) {
        throw fields.wrong("high_freq_factor", `more than low_freq_factor (${lowFreqFactor})`, ADVICE);
      }
      const originalMaxPositions = fields.size("original_max_position_embeddings", MAX_POSITIONS);
      return {
        type: "llama3",
        factor: fields.number("factor", 1, 1e6),
        lowFreqFactor,
        highFreqFactor,
        originalMaxPositions,
      };
    }
    default: {
      const advice = "Sirocco does not run this kind of RoPE; choose another checkpoint.";
      throw fields.wrong(key, '"default", "linear" or "llama3"', advice);
    }
  }
}
