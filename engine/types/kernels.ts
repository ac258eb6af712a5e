// Which variants of the kernels a model runs, and how they are measured.
import type {
  AttentionVariant,
  MatmulVariant,
  MatvecVariant,
  WeightFormatName,
} from "../../kernels/index.ts";
import type { AdapterDescription } from "./reports.ts";

/** The matrices of a model by what they do. Each may be fastest with another variant. */
export type MatrixRole = "qkv" | "oProj" | "gateUp" | "downProj" | "lmHead";

/** `decode`: one token of every running sequence. `prefill`: a chunk of tokens of one sequence. */
export type Pass = "decode" | "prefill";

/** The variants that a model runs. */
export interface KernelChoice {
  /** For `decode`: a matrix times one token of every sequence. */
  readonly matvec: Readonly<Record<MatrixRole, MatvecVariant>>;
  /** For `prefill`: a matrix times a chunk of tokens. */
  readonly matmul: Readonly<Record<MatrixRole, MatmulVariant>>;
  /** Attention, by pass. */
  readonly attention: Readonly<Record<Pass, AttentionVariant>>;
}

/**
 * Variants to use for every matrix. A matrix variant that the adapter or the weight format cannot run is a
 * `RangeError`.
 */
export interface KernelOptions {
  /** For `decode`. Default: what is remembered, measured, or suits the kind of adapter. */
  readonly matvec?: MatvecVariant;
  /** For `prefill`. Default: as for `matvec`. */
  readonly matmul?: MatmulVariant;
  /** For both passes. Default: as for `matvec`. */
  readonly attention?: AttentionVariant;
}

/** Time of one variant of a matrix product or of attention, at or below the size that it has in the model. */
export interface TuningMeasurement {
  /** The pass it was measured for. */
  readonly pass: Pass;
  /** The matrix, or attention. */
  readonly role: MatrixRole | "attention";
  /** Name of the variant. */
  readonly variant: string;
  /** Rows of the launch: sequences of a decode step, or tokens of a chunk. */
  readonly rows: number;
  /** Microseconds of one launch; Infinity if it was rejected. */
  readonly microseconds: number;
  /** Why it is not used on this adapter: it does not compile, or its results are wrong. */
  readonly rejected?: string;
}

/** Result of `tuneModel`. */
export interface Tuning {
  /** The adapter that was measured. */
  readonly adapter: AdapterDescription;
  /** Weight format that was measured. */
  readonly weights: WeightFormatName;
  /** The fastest variants. Loading uses them from now on. */
  readonly choice: KernelChoice;
  /** All times. */
  readonly measurements: readonly TuningMeasurement[];
}
