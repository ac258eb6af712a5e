// How config.json says that RoPE is scaled for long contexts. Plain models do not fetch it.
import { ADVICE, type Fields } from "./fields.ts";
import type { QueryScale, RopeScaling } from "./model-config.ts";

const MAX_POSITIONS = 2 ** 30;
const UNSUPPORTED = "Sirocco does not run this; choose another checkpoint.";

const original = (fields: Fields): number => fields.size("original_max_position_embeddings", MAX_POSITIONS);

/** @param scales whether the architecture has `llama_4_scaling_beta`; others must not */
export function parseQueryScale(fields: Fields, scales: boolean): QueryScale | null {
  const BETA = "llama_4_scaling_beta";
  if (!fields.given(BETA)) return null;
  if (!scales) throw fields.wrong(BETA, "nothing in this architecture", UNSUPPORTED);
  return { beta: fields.number(BETA, 0, 100), originalMaxPositions: original(fields) };
}

function parseYarn(fields: Fields): RopeScaling {
  const factor = fields.number("factor", 1, 1e6);
  const or = (name: string, otherwise: number, min = 1e-6) =>
    fields.given(name) ? fields.number(name, min, 1e6) : otherwise;
  const magnitude = (mscale: number) => 0.1 * mscale * Math.log(factor) + 1;
  const [mscale, ofAll] = [or("mscale", 0, 0), or("mscale_all_dim", 0, 0)];
  const betaSlow = or("beta_slow", 1);
  const betaFast = or("beta_fast", 32);
  if (betaFast < betaSlow) throw fields.wrong("beta_fast", `at least beta_slow (${betaSlow})`);
  return {
    type: "yarn",
    factor,
    betaFast,
    betaSlow,
    truncate: !fields.given("truncate") || fields.flag("truncate"),
    originalMaxPositions: original(fields),
    magnitude: or("attention_factor", mscale && ofAll ? magnitude(mscale) / magnitude(ofAll) : magnitude(1)),
  };
}

export function parseScaling(fields: Fields): RopeScaling | null {
  // Old configs have `type`, newer ones `rope_type`, some have both.
  const key = fields.given("rope_type") ? "rope_type" : "type";
  const type = fields.get(key) ?? "default";
  if (fields.given("partial_rotary_factor") && fields.get("partial_rotary_factor") !== 1) {
    throw fields.wrong("partial_rotary_factor", "1", UNSUPPORTED);
  }
  switch (type) {
    case "default":
      return null;
    case "linear":
      return { type: "linear", factor: fields.number("factor", 1, 1e6) };
    case "yarn":
      return parseYarn(fields);
    case "llama3": {
      const lowFreqFactor = fields.number("low_freq_factor", 1e-3, 1e6);
      const highFreqFactor = fields.number("high_freq_factor", 1e-3, 1e6);
      if (highFreqFactor <= lowFreqFactor) {
        throw fields.wrong("high_freq_factor", `more than low_freq_factor (${lowFreqFactor})`, ADVICE);
      }
      return {
        type: "llama3",
        factor: fields.number("factor", 1, 1e6),
        lowFreqFactor,
        highFreqFactor,
        originalMaxPositions: original(fields),
      };
    }
    default: {
      const advice = "Sirocco does not run this kind of RoPE; choose another checkpoint.";
      throw fields.wrong(key, '"default", "linear", "llama3" or "yarn"', advice);
    }
  }
}
