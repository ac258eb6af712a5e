// The table of weight formats: bits of a weight and of a scale. Lists of formats and sizes of rows derive
// from it. This file imports nothing, so that weights/ and cli/ can read it without the shaders.

interface FormatRow {
  /** Of one weight. */
  readonly bits: number;
  /** Of the scale that a group of weights shares; 0 for formats without scales. */
  readonly scaleBits: number;
}

/** From the most exact to the smallest. */
export const formatTable = {
  f32: { bits: 32, scaleBits: 0 },
  f16: { bits: 16, scaleBits: 0 },
  bf16: { bits: 16, scaleBits: 0 },
  q8: { bits: 8, scaleBits: 16 },
  q4: { bits: 4, scaleBits: 16 },
} as const satisfies Record<string, FormatRow>;

/** Formats of weights: 32, 16, 16, 8.5 and 4.5 bits a weight. */
export type WeightFormatName = keyof typeof formatTable;

export const weightFormatNames = Object.keys(formatTable) as readonly WeightFormatName[];

/** The formats that round weights to codes under a scale. */
export const quantisedFormats = weightFormatNames.filter((name) => formatTable[name].scaleBits > 0);

/** Weights that share a scale. Every stored row is padded with zeros to a multiple of it. */
export const GROUP = 32;

/** The stored width of a row of K weights, and of the activations that meet it. */
export const padded = (K: number): number => Math.ceil(K / GROUP) * GROUP;

/** u32 words of the weights of a row of K, padding included. */
export const weightWords = (name: WeightFormatName, K: number): number =>
  (padded(K) * formatTable[name].bits) / 32;

/** u32 words of the scales of a row of K: every row begins with a new word. */
export const scaleWords = (name: WeightFormatName, K: number): number =>
  Math.ceil((Math.ceil(K / GROUP) * formatTable[name].scaleBits) / 32);
