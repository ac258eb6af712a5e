// How tensors are loaded: a table by the encoding of the file and the weight format on the GPU.
import {
  type InputDtype,
  quantisedFormats,
  type WeightFormat,
  type WeightFormatName,
  weightFormats,
} from "../../kernels/index.ts";
import { CheckpointError, type TensorInfo } from "../../weights/index.ts";

/** How rows of a file become rows of the buffers of a format. */
export type Conversion =
  /** They are rows of one buffer: `weight` (0) or `scale` (1). */
  | { readonly by: "copy"; readonly buffer: 0 | 1 }
  /** The GPU converts or quantises floats. */
  | { readonly by: "convert"; readonly dtype: InputDtype }
  /** The host re-orders their bits without loss: for R rows of K weights, the bytes of each buffer. */
  | { readonly by: "repack"; readonly repack: (bytes: Uint8Array, R: number, K: number) => Bytes[] };

type Bytes = Uint8Array<ArrayBuffer>;

const into = (formats: readonly string[], conversion: Conversion): Record<string, Conversion> =>
  Object.fromEntries(formats.map((format) => [format, conversion]));
const all = Object.keys(weightFormats);

/** By encoding, then by format. Other pairs cannot be loaded. */
export const conversions: Readonly<Record<string, Partial<Record<WeightFormatName, Conversion>>>> = {
  F32: into(all, { by: "convert", dtype: "F32" }),
  F16: into(all, { by: "convert", dtype: "F16" }),
  BF16: into(all, { by: "convert", dtype: "BF16" }),
  words: into(all, { by: "copy", buffer: 0 }),
  scales: into(quantisedFormats, { by: "copy", buffer: 1 }),
};

/** @throws CheckpointError for a pair that is not in the table */
export function conversionOf({ name, file, encoding }: TensorInfo, format: WeightFormat): Conversion {
  const conversion = conversions[encoding]?.[format.name];
  if (conversion) return conversion;
  throw new CheckpointError(
    `${file}: ${name}: expected an encoding that can be loaded as ${format.name}, got ${encoding}. Load another weight format.`,
  );
}
