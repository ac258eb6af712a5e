// How `sirocco quantize` stores a checkpoint: matrices in the bytes that the GPU uses, so that loading only
// copies.
import {
  formatTable,
  scaleWords,
  type WeightFormatName,
  weightFormatNames,
  weightWords,
} from "../../kernels/formats/table.ts";
import type { Checkpoint, FormatOf, Quantised } from "../checkpoint.ts";
import type { ModelConfig } from "../config.ts";
import { mismatch, show } from "../errors.ts";
import type { Encoding } from "../tensor-info.ts";
import { servingRole } from "../tensors.ts";
import type { DType } from "./header.ts";
import { requiredTensors, tensorName } from "./names.ts";

/** A tensor as a file stores it. */
export interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** Version of the layout below. Files of another version are refused. */
const PACKED_VERSION = "2";

/** Name of the words of the matrix `name`: U32, rows × words per row. */
export const packedName = (name: string): string => `${name}.packed`;
/**
 * Name of its scales: U32, rows × ⌈groups / 2⌉ words of two f16 each; in q4a, q4a64 and q4a128 of its pairs:
 * rows × groups words; in q4k rows × 4 ⌈K / 256⌉ words.
 */
export const scaleName = (name: string): string => `${name}.scale`;
/** The matrix that a packed tensor belongs to. Other names stay as they are. */
export const unpackedName = (name: string): string => name.replace(/\.(packed|scale)$/, "");
/** The encoding of a packed tensor. */
export function packedEncoding(name: string, formatOf: FormatOf): Encoding {
  if (!name.endsWith(".scale")) return "words";
  return formatOf(unpackedName(name)) === "q4k" ? "superScales" : "scales";
}

/**
 * The format of every matrix of a model in `weights`. With nibbles the matrix that makes the logits is q8: an
 * error there reaches every logit. In q4k the value projections are q8, too: they are small, and errors there
 * are copied into every position that attends. docs/formats.md says what this costs and saves.
 */
export function formatsOf(weights: WeightFormatName, config: ModelConfig): FormatOf {
  const head = tensorName(servingRole("lmHead", config));
  const isFiner = (tensor: string): boolean =>
    tensor === head || (weights === "q4k" && tensor.endsWith(".v_proj.weight"));
  return (tensor) => (formatTable[weights].bits === 4 && isFiner(tensor) ? "q8" : weights);
}

/** The format of every matrix if a checkpoint is loaded in `weights`: what is quantised so stays as it is. */
export const formatsAs = ({ quantised, config }: Loadable, weights: WeightFormatName): FormatOf =>
  quantised?.weights === weights ? quantised.formatOf : formatsOf(weights, config);

type Loadable = Pick<Checkpoint, "config" | "quantised">;

/** The tensors of a packed checkpoint, in the order to write them. @param vectors their dtype */
export function packedTensors(
  config: ModelConfig,
  formatOf: FormatOf,
  vectors: DType = "F32",
): StoredTensor[] {
  return requiredTensors(config).flatMap(({ kind, name, shape }): StoredTensor[] => {
    const [rows = 0, K = 0] = shape;
    if (kind === "vector") return [{ name, shape, dtype: vectors }];
    const format = formatOf(name);
    const words = weightWords(format, K);
    const scales = scaleWords(format, K);
    const packed: StoredTensor = { name: packedName(name), shape: [rows, words], dtype: "U32" };
    if (scales === 0) return [packed];
    return [packed, { name: scaleName(name), shape: [rows, scales], dtype: "U32" }];
  });
}

/** The `__metadata__` of a packed file. */
export function packedMetadata(weights: WeightFormatName): Readonly<Record<string, string>> {
  return { format: "sirocco", version: PACKED_VERSION, weights };
}

/** A packed checkpoint of this format. */
export const packedAs = (weights: WeightFormatName, config: ModelConfig): Quantised => ({
  name: `packed as ${weights}`,
  weights,
  formatOf: formatsOf(weights, config),
  convertible: false,
});

/**
 * The format that `__metadata__` names; null for an ordinary checkpoint.
 * @throws CheckpointError for an unknown version or format
 */
export function parsePacked(
  metadata: Readonly<Record<string, string>>,
  file: string,
): WeightFormatName | null {
  const { format, version, weights } = metadata;
  if (format !== "sirocco") return null;
  const where = `${file}: __metadata__`;
  if (version !== PACKED_VERSION) {
    const advice = "Quantise the original checkpoint again with this version of Sirocco.";
    throw mismatch(`${where}: version`, show(PACKED_VERSION), show(version), advice);
  }
  const known = weightFormatNames.find((name) => name === weights);
  if (!known) {
    const expected = `one of ${weightFormatNames.join(", ")}`;
    throw mismatch(`${where}: weights`, expected, show(weights), "Quantise the original checkpoint again.");
  }
  return known;
}
