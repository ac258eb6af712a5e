// What becomes of a tensor on its way to the GPU: a table by the encoding that it is stored in and the format
// that it gets.
import {
  type InputDtype,
  type WeightFormat,
  type WeightFormatName,
  weightFormats,
} from "../../kernels/index.ts";
import { CheckpointError, type TensorInfo } from "../../weights/index.ts";

/** How rows as stored become rows of a format's buffers. */
export type Conversion =
  /** They are rows of one buffer: `weight` (0) or `scale` (1). */
  | { readonly by: "copy"; readonly buffer: 0 | 1 }
  /** The GPU converts or quantises floats. */
  | { readonly by: "convert"; readonly dtype: InputDtype }
  /** The host re-orders their bits without loss: for R rows of K weights, the bytes of each buffer. */
  | { readonly by: "repack"; readonly repack: (bytes: Uint8Array, R: number, K: number) => Bytes[] };

type Bytes = Uint8Array<ArrayBuffer>;

const toAll = (conversion: Conversion): Record<string, Conversion> =>
  Object.fromEntries(Object.keys(weightFormats).map((format) => [format, conversion]));

/** A pair that is not listed cannot be loaded. */
export const conversions: Readonly<Record<string, Partial<Record<WeightFormatName, Conversion>>>> = {
  F32: toAll({ by: "convert", dtype: "F32" }),
  F16: toAll({ by: "convert", dtype: "F16" }),
  BF16: toAll({ by: "convert", dtype: "BF16" }),
  words: toAll({ by: "copy", buffer: 0 }),
  scales: { q8: { by: "copy", buffer: 1 }, q4: { by: "copy", buffer: 1 } },
};

/** @throws CheckpointError for a pair that is not in the table */
export function conversionOf({ name, file, encoding }: TensorInfo, format: WeightFormat): Conversion {
  const conversion = conversions[encoding]?.[format.name];
  if (conversion) return conversion;
  const known = Object.keys(conversions).filter((each) => conversions[each]?.[format.name]);
  throw new CheckpointError(
    `${file}: ${name}: expected one of ${known.join(", ")} to load as ${format.name}, got ${encoding}. Load another weight format.`,
  );
}
