// Llama 3's scaling of RoPE is stored as a tensor: what each frequency is divided by. The numbers of
// config.json are found from it.
import { mismatch } from "../errors.ts";
import type { JsonObject } from "../json.ts";

/** Of a divisor, relative. The tensor is f32. */
const TOLERANCE = 1e-4;

/**
 * `rope_scaling` of config.json with these divisors. The factors of low and high frequencies and the original
 * context only count as quotients, so the first is 1, as in every published model.
 * @param where of the tensor, for messages
 */
export function scalingOf(divisors: Float32Array, theta: number, where: string): JsonObject | undefined {
  const list = [...divisors];
  const factor = list.reduce((a, b) => Math.max(a, b), 1);
  if (list.every((divisor) => divisor === 1)) return undefined;
  /** Turns in one token: the frequency over 2π. */
  const turns = list.map((_, i) => theta ** (-i / list.length) / (2 * Math.PI));
  // Between the bounds, 1 / divisor is linear in the turns: from 1 / factor at 1 turn in the original context
  // to 1 at `high` turns.
  const smooth = list.map((divisor) => (1 / divisor - 1 / factor) / (1 - 1 / factor));
  const between = list.map((_, i) => i).filter((i) => divisors[i] !== 1 && divisors[i] !== factor);
  const [first = 0, last = first] = [between[0], between.at(-1)];
  const at = (values: readonly number[], i: number): number => values[i] ?? Number.NaN;
  const slope = (at(smooth, first) - at(smooth, last)) / (at(turns, first) - at(turns, last));
  const low = slope * at(turns, last) - at(smooth, last);
  const high = Number((1 + 1 / low).toPrecision(5));
  const original = Math.round(slope / low);
  const found = turns.map((turn) => {
    const share = Math.min(1, Math.max(0, (original * turn - 1) / (high - 1)));
    return 1 / (share + (1 - share) / factor);
  });
  if (list.every((divisor, i) => Math.abs(at(found, i) / divisor - 1) < TOLERANCE)) {
    return {
      rope_type: "llama3",
      factor: Number(factor.toPrecision(6)),
      low_freq_factor: 1,
      high_freq_factor: high,
      original_max_position_embeddings: original,
    };
  }
  const got = `${list.slice(0, 3).join(", ")}, …`;
  throw mismatch(
    where,
    "divisors as Llama 3 has them",
    got,
    "Sirocco does not run this; choose another model.",
  );
}
