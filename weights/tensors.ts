// The table of the graph's tensors. Required tensors, packed files, the layout on the GPU, upload,
// fingerprint, shapes to tune and byte counts derive from it.
import type { ModelConfig } from "./config.ts";

interface TensorRow {
  readonly role: string;
  /** Every layer has one; otherwise the model has one. */
  readonly layer?: true;
  readonly kind: "matrix" | "vector";
  /** [rows, columns] = [outputs, inputs] of a matrix, [length] of a vector. */
  readonly shape: (config: ModelConfig) => readonly number[];
  /** Whether a model of this config has the tensor. Default: yes. */
  readonly when?: (config: ModelConfig) => boolean;
  /** Role of the tensor that a model without it uses instead. */
  readonly instead?: string;
}

const hasBias = ({ qkvBias }: ModelConfig): boolean => qkvBias;
const hasNorm = ({ qkNorm }: ModelConfig): boolean => qkNorm;

/** In the order that a token meets them. The tensors of a layer are consecutive. */
export const tensorTable = [
  /** Row t is the embedding of token t. */
  { role: "embedTokens", kind: "matrix", shape: ({ V, D }) => [V, D] },
  { role: "inputNorm", layer: true, kind: "vector", shape: ({ D }) => [D] },
  { role: "qProj", layer: true, kind: "matrix", shape: ({ H, d, D }) => [H * d, D] },
  { role: "kProj", layer: true, kind: "matrix", shape: ({ G, d, D }) => [G * d, D] },
  { role: "vProj", layer: true, kind: "matrix", shape: ({ G, d, D }) => [G * d, D] },
  { role: "qBias", layer: true, kind: "vector", shape: ({ H, d }) => [H * d], when: hasBias },
  { role: "kBias", layer: true, kind: "vector", shape: ({ G, d }) => [G * d], when: hasBias },
  { role: "vBias", layer: true, kind: "vector", shape: ({ G, d }) => [G * d], when: hasBias },
  { role: "qNorm", layer: true, kind: "vector", shape: ({ d }) => [d], when: hasNorm },
  { role: "kNorm", layer: true, kind: "vector", shape: ({ d }) => [d], when: hasNorm },
  { role: "oProj", layer: true, kind: "matrix", shape: ({ H, d, D }) => [D, H * d] },
  { role: "postAttentionNorm", layer: true, kind: "vector", shape: ({ D }) => [D] },
  { role: "gateProj", layer: true, kind: "matrix", shape: ({ F, D }) => [F, D] },
  { role: "upProj", layer: true, kind: "matrix", shape: ({ F, D }) => [F, D] },
  { role: "downProj", layer: true, kind: "matrix", shape: ({ F, D }) => [D, F] },
  { role: "finalNorm", kind: "vector", shape: ({ D }) => [D] },
  {
    role: "lmHead",
    kind: "matrix",
    shape: ({ V, D }) => [V, D],
    when: ({ tied }) => !tied,
    instead: "embedTokens",
  },
] as const satisfies readonly TensorRow[];

type Row = (typeof tensorTable)[number];
export type TensorRole = Row["role"];
type RoleOfKind<Kind> = Extract<Row, { readonly kind: Kind }>["role"];
/** Roles of the tensors of a kind that every layer has. */
export type LayerRole<Kind> = Extract<Row, { readonly kind: Kind; readonly layer: true }>["role"];
/** Roles of the tensors of a kind that the model has once. */
export type ModelRole<Kind> = Exclude<RoleOfKind<Kind>, LayerRole<Kind>>;

/** The names of a naming scheme; `{}` is replaced by the number of the layer. */
export type TensorNames = Readonly<Record<TensorRole, string>>;

/** A tensor that the graph of a model needs. */
export interface RequiredTensor {
  readonly role: TensorRole;
  /** Number of the layer; undefined for the tensors of the model. */
  readonly layer: number | undefined;
  readonly kind: "matrix" | "vector";
  readonly name: string;
  readonly shape: readonly number[];
}

const rows: readonly (TensorRow & { readonly role: TensorRole })[] = tensorTable;

export const nameOf = (names: TensorNames, role: TensorRole, layer?: number): string =>
  names[role].replace("{}", `${layer}`);

/** Every tensor that the graph reads, in the order of the table, layer after layer. */
export function tensorsOf(config: ModelConfig, names: TensorNames): RequiredTensor[] {
  const present = rows.filter(({ when }) => when?.(config) ?? true);
  const ofLayer = present.filter(({ layer }) => layer);
  const first = present.findIndex(({ layer }) => layer);
  const tensor = ({ role, kind, shape }: (typeof rows)[number], layer?: number): RequiredTensor => ({
    ...{ role, layer, kind, shape: shape(config) },
    name: nameOf(names, role, layer),
  });
  return [
    ...present.slice(0, first).map((row) => tensor(row)),
    ...Array.from({ length: config.L }, (_, i) => ofLayer.map((row) => tensor(row, i))).flat(),
    ...present.slice(first + ofLayer.length).map((row) => tensor(row)),
  ];
}

/** The role of the tensor that serves as `role` in a model of this config. */
export function servingRole(role: TensorRole, config: ModelConfig): TensorRole {
  const row = rows.find((each) => each.role === role);
  return row?.instead && !(row.when?.(config) ?? true) ? (row.instead as TensorRole) : role;
}
