// How a token is picked from logits, in this order:
//
//   mask                  only the tokens that the sequence's constraint allows are candidates
//   logit bias            x += bias
//   repetition penalty    x /= r if x > 0, else x *= r, for tokens in prompt or answer
//                         (Keskar et al. 2019, CTRL; the sign rule is Hugging Face's)
//   frequency, presence   x -= frequency * count + presence, for tokens in the answer (OpenAI's rule)
//   temperature           0: the largest x, of equal ones the lowest id; else x /= temperature, and
//   top-k                 keep the k largest, and all that equal the last one (Fan et al. 2018)
//   top-p                 keep the smallest set of the likeliest tokens, at least one, whose probabilities
//                         after top-k reach p, and all that equal the last one (Holtzman et al. 2020)
//   min-p                 keep probability >= minP * the largest (Nguyen et al. 2024)
//   draw                  from the softmax of the kept tokens; the random numbers depend on seed, position
//                         and id only
//
// After the penalties everything is in integers: the distance of a token below the likeliest in units of
// 2^-25 octaves, its mass in units of 2^-28 of the likeliest's. So every device, and the TypeScript in
// sample.ts, picks the same token from the same logits. Two tokens are "equal" if they are less than one
// such unit apart. At usual temperatures, no two different float32 logits above 1 are.
import type { Buffer } from "./kernel.ts";
import { OCTAVE } from "./sampling-arithmetic.ts";

export interface SamplingSettings {
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  /** The bias buffer is read only if it has entries. */
  readonly logitBias?: Readonly<Record<number, number>>;
}

/** Words of four bytes of one sequence in the `params` buffer. */
export const SAMPLING_WORDS = 12;
export const USES_BIAS = 1;
export const USES_COUNTS = 2;
export const USES_MASK = 4;

/** Words of a mask over V tokens: bit i % 32 of word floor(i / 32) allows token i. */
export const maskWords = (V: number): number => Math.ceil(V / 32);

/**
 * The parameters of one sequence as the `sample` kernel reads them:
 *
 *     0  f32  2^25 log2(e) / temperature; 0 for temperature 0
 *     1  u32  topK; 0 keeps all
 *     2  u32  2^32 topP; 0 keeps all
 *     3  u32  octaves below the likeliest token that minP keeps, in units of 2^-25
 *     4  f32  1 / repetitionPenalty, the factor of positive logits
 *     5  f32  repetitionPenalty, the factor of the others
 *     6  f32  frequencyPenalty in 12 significant bits: times * frequency is exact up to 4096 times
 *     7  f32  presencePenalty
 *     8  u32  seed, low word       9  u32  seed, high word
 *    10  u32  1: reads bias, 2: reads counts, 4: reads mask
 *    11  u32  0
 *
 * @param masked whether the sequence has a mask
 * @throws RangeError naming the option that is out of range.
 */
export function samplingParams(
  settings: SamplingSettings,
  seed: number,
  masked = false,
): Uint32Array<ArrayBuffer> {
  const { temperature, topK, topP, minP, repetition, frequency, presence } = checked(settings, seed);
  const words = new Uint32Array(SAMPLING_WORDS);
  const floats = new Float32Array(words.buffer);
  // Up to 1e17, the distance between the largest logits is finite. From 1e-10 on, an excluded token is at
  // least 64 octaves from any logit, and is never drawn.
  if (temperature > 0) floats[0] = Math.min(Math.max((OCTAVE * Math.LOG2E) / temperature, 1e-10), 1e17);
  words[1] = Math.min(topK, 0xffffffff);
  words[2] = topP === 1 ? 0 : Math.min(Math.max(Math.round(topP * 2 ** 32), 1), 0xffffffff);
  words[3] = Math.floor(Math.min(-Math.log2(minP) * OCTAVE, 64 * OCTAVE - 1));
  floats[4] = 1 / repetition;
  floats[5] = repetition;
  floats[6] = significant(frequency, 12);
  floats[7] = presence;
  words[8] = seed >>> 0;
  words[9] = Math.floor(seed / 2 ** 32);
  const usesBias = Object.keys(settings.logitBias ?? {}).length > 0;
  const usesCounts = repetition !== 1 || frequency !== 0 || presence !== 0;
  words[10] = (usesBias ? USES_BIAS : 0) | (usesCounts ? USES_COUNTS : 0) | (masked ? USES_MASK : 0);
  return words;
}

/** One sequence's words of `params`. */
export type SamplingParams = ReturnType<typeof readParams>;

export function readParams(words: Buffer) {
  const u = new Uint32Array(words.buffer, words.byteOffset, SAMPLING_WORDS);
  const f = new Float32Array(words.buffer, words.byteOffset, SAMPLING_WORDS);
  const [scale, positive, negative, frequency, presence] = [f[0]!, f[4]!, f[5]!, f[6]!, f[7]!];
  const [topK, topP, farthest, flags] = [u[1]!, u[2]!, u[3]!, u[10]!];
  const seed = [u[8]!, u[9]!] as const;
  return { scale, topK, topP, farthest, positive, negative, frequency, presence, seed, flags };
}

/** Logits are clamped to ±LARGEST. NaN counts as -LARGEST. */
export const LARGEST = Math.fround(1e20);
/** Below every logit: tokens outside the mask, and the padding of a row. */
export const EXCLUDED = Math.fround(-2e20);

/** A logit as the steps of the sampler give it: clamped, without NaN and subnormals. */
export function finite(x: number): number {
  if (Number.isNaN(x)) return -LARGEST;
  if (Math.abs(x) < 2 ** -126) return 0;
  return Math.fround(Math.max(-LARGEST, Math.min(LARGEST, x)));
}

/** Whether the mask that begins at word `first` allows a token. */
export const isAllowed = (mask: Buffer, first: number, id: number): boolean =>
  ((mask[first + (id >>> 5)]! >>> (id % 32)) & 1) === 1;

export const biased = (x: number, bias: number): number => finite(x + finite(bias));

/** @param seen bit 31: the token is in the prompt; the rest: times in the answer */
export function penalised(x: number, seen: number, p: SamplingParams): number {
  const times = seen & 0x7fffffff;
  const repeated = seen === 0 ? x : finite(x * (x > 0 ? p.positive : p.negative));
  return times === 0 ? repeated : finite(Math.fround(repeated - times * p.frequency) - p.presence);
}

function checked(settings: SamplingSettings, seed: number) {
  const check = (name: string, value: number, expected: string, legal: boolean): number => {
    if (!legal)
      throw Object.assign(new RangeError(`${name}: expected ${expected}, got ${value}.`), {
        parameter: name,
        code: "out-of-range",
      });
    return value;
  };
  const finite = (name: string, value: number) =>
    check(name, value, "a number from -1000 to 1000", Math.abs(value) <= 1000);
  const { temperature = 0, topK = 0, topP = 1, minP = 0 } = settings;
  const { repetitionPenalty = 1, frequencyPenalty = 0, presencePenalty = 0 } = settings;
  check("seed", seed, "a whole number from 0 to 2^53 - 1", Number.isSafeInteger(seed) && seed >= 0);
  return {
    temperature: check(
      "temperature",
      temperature,
      "a number >= 0",
      temperature >= 0 && temperature < Infinity,
    ),
    topK: check("topK", topK, "a whole number >= 0", Number.isInteger(topK) && topK >= 0),
    topP: check("topP", topP, "a number from 0 to 1", topP >= 0 && topP <= 1),
    minP: check("minP", minP, "a number from 0 to 1", minP >= 0 && minP <= 1),
    repetition: check(
      "repetitionPenalty",
      repetitionPenalty,
      "a number from 0.001 to 1000",
      repetitionPenalty >= 0.001 && repetitionPenalty <= 1000,
    ),
    frequency: finite("frequencyPenalty", frequencyPenalty),
    presence: finite("presencePenalty", presencePenalty),
  };
}

/** `value` rounded to its first `bits` binary digits. */
function significant(value: number, bits: number): number {
  if (value === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - bits + 1);
  return Math.round(value / unit) * unit;
}
