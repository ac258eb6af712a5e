// How tensors are loaded: a table by the encoding of the file and the weight format on the GPU.
import {
  type InputDtype,
  quantisedFormats,
  type WeightFormat,
  type WeightFormatName,
  weightFormats,
} from "../../kernels/index.ts";
import { CheckpointError, type OwnEncoding, type Repack, type TensorInfo } from "../../weights/index.ts";

/** How rows of a file become rows of the buffers of a format. */
export type Conversion =
  /** They are rows of one buffer: `weight` (0) or `scale` (1). */
  | { readonly by: "copy"; readonly buffer: 0 | 1 }
  /** The GPU converts or quantises floats, which the host decodes before if they are encoded. */
  | { readonly by: "convert"; readonly dtype: InputDtype; readonly decode?: OwnEncoding["decode"] }
  /** The host re-orders their bits without loss. */
  | { readonly by: "repack"; readonly repack: Repack };

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
  superScales: into(["q4k"], { by: "copy", buffer: 1 }),
};

/** @throws CheckpointError for a pair that is not in the table */
export function conversionOf({ name, file, encoding, own }: TensorInfo, format: WeightFormat): Conversion {
  const repack = own?.repack?.[format.name];
  if (repack) return { by: "repack", repack };
  if (own) return { by: "convert", dtype: "F32", decode: own.decode };
  const conversion = conversions[encoding]?.[format.name];
  if (conversion) return conversion;
  throw new CheckpointError(
    `${file}: ${name}: expected an encoding that can be loaded as ${format.name}, got ${encoding}. Load another weight format.`,
  );
}
