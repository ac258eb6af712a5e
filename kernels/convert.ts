import source from "./convert.wgsl?raw";
import { padded, type WeightFormat } from "./formats/format.ts";
import { f16ToF32Bits, f32ToBits, numberToBf16, numberToF16 } from "./formats/half.ts";
import { type Binding, type Buffer, type Kernel, lines } from "./kernel.ts";
import readBf16 from "./snippets/read-bf16.wgsl?raw";
import readF16 from "./snippets/read-f16.wgsl?raw";
import readF32 from "./snippets/read-f32.wgsl?raw";

/** Dtypes of checkpoint tensors, with their safetensors names. */
export type InputDtype = "F32" | "F16" | "BF16";

export const inputDtypes: readonly InputDtype[] = ["F32", "F16", "BF16"];

/** R rows of K columns, in the layout of the file, become rows row0 … row0 + R - 1 of a matrix of N rows. */
export interface ConvertSize {
  R: number;
  K: number;
  N: number;
  row0: number;
}

/** u32 words of R rows of K entries. The last word may be half used. */
const rawWords = (dtype: InputDtype, R: number, K: number) => Math.ceil((R * K) / (dtype === "F32" ? 1 : 2));

/**
 * Contents of `range`: the numbers that differ between chunks and tensors. As a buffer, they do not need a
 * pipeline each.
 */
export const convertRange = ({ R, K, row0 }: ConvertSize): Uint32Array<ArrayBuffer> =>
  new Uint32Array([row0, R, K, 0]);

/**
 * Converts a checkpoint tensor, or a chunk of its rows, to `format`. If the file has the same format, entries
 * are copied bit for bit.
 */
export const convert = (dtype: InputDtype, format: WeightFormat): Kernel<ConvertSize> => ({
  name: "convert",
  variant: `${dtype.toLowerCase()}_${format.name}`,
  source: [source, readers[dtype], ...format.writer],
  cpu: { op: "convert", dtype, format: format.name },
  testSizes: [
    { R: 3, K: 5, N: 6, row0: 2 },
    { R: 5, K: 1, N: 5, row0: 0 },
    { R: 3, K: 33, N: 4, row0: 1 },
    { R: 7, K: 37, N: 16, row0: 9 },
    { R: 2, K: 64, N: 2, row0: 0 },
    { R: 5, K: 704, N: 7, row0: 1 },
    { R: 3, K: 523, N: 3, row0: 0 }, // a super-group of 11 columns
    // Three lines of workgroups. Which dtype is read makes no difference to them.
    ...(dtype === "BF16" ? [{ R: 8200, K: 1, N: 8200, row0: 0 }] : []),
  ],
  bindings: ({ R, K, N }) => [
    { name: "raw", type: "u32", length: rawWords(dtype, R, K) },
    { name: "range", type: "u32", length: 4 },
    ...format.bindings(N, padded(K)).map((binding): Binding => ({ ...binding, type: "u32", writes: true })),
  ],
  constants: () => ({}),
  workgroups: ({ R, K }) => lines(Math.ceil((R * Math.ceil(K / 64)) / 64)),
  fill(size, name, random) {
    if (name === "range") return convertRange(size);
    if (name === "raw") return awkwardValues(dtype, rawWords(dtype, size.R, size.K), random);
    return undefined;
  },
  reference({ R, K }, raw, range, ...stored) {
    const row = new Uint32Array(padded(K));
    for (let r = 0; r < R; r++) {
      for (let k = 0; k < K; k++) row[k] = bitsAt[dtype](raw, r * K + k);
      format.storeRow(stored, range![0]! + r, row, K);
    }
  },
});

const readers: Record<InputDtype, string> = { F32: readF32, F16: readF16, BF16: readBf16 };

/** The f32 bits of entry i. */
const bitsAt: Record<InputDtype, (raw: Buffer, i: number) => number> = {
  F32: (raw, i) => raw[i]!,
  F16: (raw, i) => f16ToF32Bits((raw[i >> 1]! >>> (16 * (i % 2))) & 0xffff),
  BF16: (raw, i) => ((raw[i >> 1]! >>> (16 * (i % 2))) & 0xffff) << 16,
};

/** Runs of 16 words of one kind: ordinary weights, weights with outliers, zeros, tiny, huge, any bits. */
function awkwardValues(dtype: InputDtype, words: number, random: () => number): Uint32Array {
  const fraction = () => random() / 2 ** 31 - 1;
  const toBits = { F32: f32ToBits, F16: numberToF16, BF16: numberToBf16 }[dtype];
  const kinds = [
    () => toBits(0.02 * (fraction() + fraction() + fraction())),
    () => toBits(random() % 13 === 0 ? 3 * fraction() : 0.02 * fraction()),
    () => 0,
    () => toBits(fraction() * 2 ** -(random() % 40)),
    () => toBits(fraction() * 2 ** (random() % 24)),
    () => (dtype === "F32" ? random() & -(1 << (random() % 17)) : random() >>> 16), // ties are frequent
  ];
  return Uint32Array.from({ length: words }, (_, i) => {
    const next = kinds[(i >> 4) % kinds.length]!;
    return dtype === "F32" ? next() : next() | (next() << 16);
  });
}
