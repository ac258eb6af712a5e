// The table of weight formats: bits of a weight and of a scale. Lists of formats and sizes of rows derive
// from it. This file imports nothing, so that weights/ and cli/ can read it without the shaders.

/** The least number of weights that share a scale. Every stored row is padded with zeros to a multiple. */
export const GROUP = 32;

interface FormatRow {
  /** Of one weight. */
  readonly bits: number;
  /**
   * Of what a group of weights shares: a scale, a pair of scale and offset, or the pairs of a super-group. 0
   * if there is none.
   */
  readonly scaleBits: number;
  /** Weights that share it, side by side in a row. */
  readonly group: number;
}

/** Floats, then codes under a scale, then codes under a pair. */
export const formatTable = {
  f32: { bits: 32, scaleBits: 0, group: GROUP },
  f16: { bits: 16, scaleBits: 0, group: GROUP },
  bf16: { bits: 16, scaleBits: 0, group: GROUP },
  q8: { bits: 8, scaleBits: 16, group: GROUP },
  q4: { bits: 4, scaleBits: 16, group: GROUP },
  q4a: { bits: 4, scaleBits: 32, group: 32 },
  q4a64: { bits: 4, scaleBits: 32, group: 64 },
  q4a128: { bits: 4, scaleBits: 32, group: 128 },
  q4k: { bits: 4, scaleBits: 128, group: 256 },
} as const satisfies Record<string, FormatRow>;

/** Formats of weights: 32, 16, 16, 8.5, 4.5, 5, 4.5, 4.25 and 4.5 bits a weight. */
export type WeightFormatName = keyof typeof formatTable;

export const weightFormatNames = Object.keys(formatTable) as readonly WeightFormatName[];

/** The formats that round weights to codes under a scale, or under a pair. */
export const quantisedFormats = weightFormatNames.filter((name) => formatTable[name].scaleBits > 0);

/** The stored width of a row of K weights, and of the activations that meet it. */
export const padded = (K: number): number => Math.ceil(K / GROUP) * GROUP;

/** u32 words of the weights of a row of K, padding included. */
export const weightWords = (name: WeightFormatName, K: number): number =>
  (padded(K) * formatTable[name].bits) / 32;

/** u32 words of the scales or pairs of a row of K: every row begins with a new word. */
export const scaleWords = (name: WeightFormatName, K: number): number =>
  Math.ceil((Math.ceil(K / formatTable[name].group) * formatTable[name].scaleBits) / 32);

/** The format of nibbles with a pair for each `group` weights. */
export const pairedFormats = { 32: "q4a", 64: "q4a64", 128: "q4a128" } as const satisfies Readonly<
  Record<number, WeightFormatName>
>;
