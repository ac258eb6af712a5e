// Contents of weight buffers for tests and the tuner: entries in [-1, 1].
import type { Buffer } from "../kernel.ts";
import type { WeightFormat } from "./format.ts";
import { numberToBf16, numberToF16 } from "./half.ts";

/** Contents of `weight` or `scale` of an [N, K] matrix; undefined for other bindings. */
export function weightContents(
  format: WeightFormat,
  N: number,
  K: number,
  name: string,
  random: () => number,
): Buffer | undefined {
  const binding = format.bindings(N, K).find((candidate) => candidate.name === name);
  if (!binding) return undefined;
  const { length } = binding;
  const value = () => random() / 2 ** 31 - 1;
  if (format.name === "f32") return Float32Array.from({ length }, value);
  return Uint32Array.from({ length }, wordsOf(format, name, random, value));
}

function wordsOf(
  format: WeightFormat,
  name: string,
  random: () => number,
  value: () => number,
): () => number {
  const two = (half: () => number) => () => half() | (half() << 16);
  if (format.name === "f16") return two(() => numberToF16(value()));
  if (format.name === "bf16") return two(() => numberToBf16(value()));
  if (name !== "scale") return random;
  if (format.name === "q8") return two(randomScale(1 / 128, random));
  if (format.name === "q4") return two(randomScale(1 / 8, random));
  if (format.name === "q4k") return superWords(random);
  return () => randomPair(random);
}

/** An f16 in ±[limit / 2, limit). */
const randomScale = (limit: number, random: () => number) => () =>
  numberToF16((limit / 2) * (1 + random() / 2 ** 32)) | (random() & 0x8000);

/** Of values in [-1, 1]: super-scales, then three words of any scales and minima. */
function superWords(random: () => number): () => number {
  const half = (limit: number) => randomScale(limit, random)();
  let next = 0;
  return () => (next++ % 4 === 0 ? half(1 / 1890) | (half(1 / 126) << 16) : random());
}

/** Of values in [-1, 1], with a of either sign. */
function randomPair(random: () => number): number {
  const a = (1 + random() / 2 ** 32) / 30;
  const b = -15 * a * (random() / 2 ** 32);
  const sign = random() & 0x8000;
  return (numberToF16(a) ^ sign) | ((numberToF16(b) ^ sign) << 16);
}
