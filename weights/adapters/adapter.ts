// What a LoRA adapter changes of a model.
import type { TensorRole } from "../tensors.ts";

type Floats = Float32Array<ArrayBuffer>;

/**
 * What is added to a matrix W [N, K]: W + scale · B · A. Of the embedding [V, D], with a row for each token,
 * A is [rank, V] and B is [D, rank]: the row of token t changes by scale · B · column t of A.
 */
export interface AdapterMatrix {
  readonly rank: number;
  readonly scale: number;
  /** [rank, K]; of the embedding [rank, V]. */
  readonly a: Floats;
  /** [N, rank]; of the embedding [D, rank]. */
  readonly b: Floats;
  /** DoRA, [N]: row n of the sum is then scaled to have this Euclidean length. Never of the embedding. */
  readonly magnitude?: Floats;
  /** [N]: the output changes by scale · bias. Never of the embedding. */
  readonly bias?: Floats;
}

/** A tensor that replaces the model's whole: little-endian floats, finite, in the model's shape. */
export interface AdapterTensor {
  readonly encoding: "F32" | "F16" | "BF16";
  readonly shape: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Rows that replace those of some tokens. */
export interface AdapterTokens {
  /** Each once. */
  readonly ids: readonly number[];
  /** [ids.length, D] */
  readonly rows: Floats;
}

/** What happens to a tensor: it is replaced (`whole`, or the rows of `tokens`), then `matrix` is added. */
export interface AdapterChange {
  readonly role: TensorRole;
  readonly layer: number | undefined;
  readonly matrix?: AdapterMatrix;
  readonly whole?: AdapterTensor;
  /** Of embedding and lm_head. Never beside the others. */
  readonly tokens?: AdapterTokens;
}

/** A LoRA adapter that fits a model. All numbers are finite. */
export interface Adapter {
  /** What its user calls it. */
  readonly name: string;
  /** SHA-256 in hex of its configuration and tensors. */
  readonly digest: string;
  /**
   * By the tensor's name as `requiredTensors` gives it; lm_head may be there although the embedding serves as
   * lm_head.
   */
  readonly changes: ReadonlyMap<string, AdapterChange>;
  /** What is added to a matrix; undefined: nothing. */
  matrix(role: TensorRole, layer: number | undefined): AdapterMatrix | undefined;
}
