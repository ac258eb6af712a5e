// The matrices and vectors on the GPU, derived from the table of tensors. Some matrices are fused: one
// dispatch serves them.
import {
  type LayerRole,
  type ModelConfig,
  type ModelRole,
  type RequiredTensor,
  requiredTensors,
  type TensorRole,
  tensorTable,
} from "../../weights/index.ts";

/** How several tensors become one matrix. */
export interface Fusion {
  readonly of: readonly TensorRole[];
  /** `stacked`: all rows of one tensor, then all of the next. `paired`: a unit has the same row of each. */
  readonly rows: "stacked" | "paired";
  /** Rows that stay together when the matrix is split into parts. */
  readonly rowsPerUnit: (config: ModelConfig) => number;
}

/** The fused matrices of a layer. Every other matrix of the table stays by itself. */
const fusedMatrices = {
  /** [(H + 2G)·d, D], a unit is a head. */
  qkv: { of: ["qProj", "kProj", "vProj"], rows: "stacked", rowsPerUnit: ({ d }) => d },
  /** [2F, D], in each part the rows of gate_proj, then those of up_proj. */
  gateUp: { of: ["gateProj", "upProj"], rows: "paired", rowsPerUnit: () => 2 },
} as const satisfies Record<string, Fusion>;

/** The vectors of a layer that are joined: all numbers of one tensor, then all of the next. */
const joinedVectors = {
  /** [(H + 2G)·d] */
  qkvBias: ["qBias", "kBias", "vBias"],
  /** [2, d] gains of a head: of queries, of keys. */
  qkNorm: ["qNorm", "kNorm"],
} as const satisfies Record<string, readonly TensorRole[]>;

type Joins = typeof joinedVectors;
type Fusions = typeof fusedMatrices;
/** Matrices of a layer on the GPU. */
export type LayerMatrix = Exclude<LayerRole<"matrix">, Fusions[keyof Fusions]["of"][number]> | keyof Fusions;

/** Something for each matrix and each vector of a layer. */
export type LayerTensors<Matrix, Vector> = { readonly [Role in LayerMatrix]: Matrix } & {
  readonly [Role in Exclude<LayerRole<"vector">, Joins[keyof Joins][number]>]: Vector;
} & {
  /** In models that have the tensors. */
  readonly [Role in keyof Joins]?: Vector;
};

/** Something for each matrix and each vector of a model. A tied lm_head is the embedding's own. */
export type ModelTensors<Matrix, Vector> = { readonly [Role in ModelRole<"matrix">]: Matrix } & {
  readonly [Role in ModelRole<"vector">]: Vector;
} & { readonly layers: readonly LayerTensors<Matrix, Vector>[] };

/** The role on the GPU of a tensor of the checkpoint. */
const residentRole = (role: string): string =>
  [
    ...Object.entries<Fusion>(fusedMatrices).map(([name, { of }]) => [name, of] as const),
    ...Object.entries<readonly string[]>(joinedVectors),
  ].find(([, of]) => of.some((each) => each === role))?.[0] ?? role;

/** Matrices of a layer, in the order a token meets them. */
export const layerMatrices: readonly LayerMatrix[] = [
  ...new Set(
    tensorTable.flatMap((row) => ("layer" in row && row.kind === "matrix" ? [residentRole(row.role)] : [])),
  ),
] as LayerMatrix[];

const isMatrix = (role: string): boolean =>
  role in fusedMatrices || tensorTable.some((row) => row.role === role && row.kind === "matrix");

type Named<T> = Record<string, T>;

/**
 * Makes something of each tensor that a model of this config has; for a fused matrix, of its tensors
 * together, and so for joined vectors.
 */
export function modelTensors<Matrix, Vector>(
  config: ModelConfig,
  matrix: (tensors: readonly RequiredTensor[], fusion: Fusion | undefined) => Matrix,
  vector: (tensors: readonly RequiredTensor[]) => Vector,
): ModelTensors<Matrix, Vector> {
  const required = requiredTensors(config);
  const make = (layer: number | undefined): Named<Matrix | Vector> => {
    const groups = new Map<string, RequiredTensor[]>();
    for (const tensor of required.filter((each) => each.layer === layer)) {
      const role = residentRole(tensor.role);
      groups.set(role, [...(groups.get(role) ?? []), tensor]);
    }
    // Vectors first: the order of a saved session's fingerprint.
    const ordered = [...groups].sort(([a], [b]) => Number(isMatrix(a)) - Number(isMatrix(b)));
    return Object.fromEntries(
      ordered.map(([role, tensors]) => [
        role,
        isMatrix(role) ? matrix(tensors, (fusedMatrices as Named<Fusion>)[role]) : vector(tensors),
      ]),
    );
  };
  const once = make(undefined);
  const layers = Array.from({ length: config.L }, (_, i) => make(i));
  const entries = tensorTable.map((row) => {
    if ("layer" in row) return ["layers", layers] as const;
    return [row.role, once[row.role] ?? ("instead" in row ? once[row.instead] : undefined)] as const;
  });
  return Object.fromEntries(entries) as unknown as ModelTensors<Matrix, Vector>;
}

/** Makes something else of each matrix and each vector; of an embedding that is lm_head as well, once. */
export function mapTensors<M, V, M2, V2>(
  model: ModelTensors<M, V>,
  matrix: (matrix: M) => M2,
  vector: (vector: V) => V2,
): ModelTensors<M2, V2> {
  const made = new Map<unknown, unknown>();
  const map = ([role, tensor]: [string, unknown]): [string, unknown] => {
    if (role === "layers") return [role, model.layers.map(mapAll)];
    if (!made.has(tensor)) made.set(tensor, isMatrix(role) ? matrix(tensor as M) : vector(tensor as V));
    return [role, made.get(tensor)];
  };
  const mapAll = (tensors: object): object => Object.fromEntries(Object.entries(tensors).map(map));
  return mapAll(model) as ModelTensors<M2, V2>;
}

/**
 * What is made of each matrix and each vector, in the table's order. An embedding that is lm_head as well is
 * met twice.
 */
export function flatTensors<M, V, T>(
  model: ModelTensors<M, V>,
  matrix: (matrix: M) => readonly T[],
  vector: (vector: V) => readonly T[],
): T[] {
  const all = (tensors: object): T[] =>
    Object.entries(tensors).flatMap(([role, tensor]) => {
      if (role === "layers") return model.layers.flatMap(all);
      return isMatrix(role) ? matrix(tensor) : vector(tensor);
    });
  return all(model);
}
