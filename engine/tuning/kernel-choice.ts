// Which variant of the hot kernels a model runs: what suits the adapter, or what its tuner found fastest.
import {
  type MatmulVariant,
  type MatvecVariant,
  matmulVariants,
  matvecVariants,
  suits,
  type Team,
  type WeightFormat,
} from "../../kernels/index.ts";
import type { AdapterDescription, KernelChoice, KernelOptions, LoadOptions, MatrixRole } from "../api.ts";
import { layerMatrices } from "../graph/model-tensors.ts";
import { outOfRange } from "../options/parameter.ts";

export const teams: readonly Team[] = ["workgroup", "lane"];

export const matrixRoles: readonly MatrixRole[] = [...layerMatrices, "lmHead"];

/** The variants that an adapter can run on weights in any of some formats. The first of each runs everywhere. */
export const matvecCandidates = (adapter: AdapterDescription): MatvecVariant[] =>
  (Object.keys(matvecVariants) as MatvecVariant[]).filter((name) => runs(adapter, name));

export const matmulCandidates = (
  adapter: AdapterDescription,
  ...formats: readonly WeightFormat[]
): MatmulVariant[] =>
  (Object.keys(matmulVariants) as MatmulVariant[]).filter(
    (name) => runs(adapter, name) && formats.some((format) => suits(name, format)),
  );

function runs({ features, subgroupSize }: AdapterDescription, name: MatvecVariant | MatmulVariant): boolean {
  const lanes = /broadcast(\d)/.exec(name)?.[1];
  if (lanes !== undefined) return subgroupSize === Number(lanes);
  if (name.startsWith("subgroup")) return features.includes("subgroups");
  return name !== "tile_f16" || features.includes("shader-f16");
}

/** Parameters below which a software driver takes longer to compile its fastest kernels than they save. */
const SMALL = 2 ** 25;

/** Smaller models answer before a tuner is done. */
const MIN_TUNED_BYTES = 64 * 2 ** 20;

/** Whether the kernels are measured, or chosen as they were measured before. */
export const wantsTuning = (weightBytes: number, { tune, device, kernels }: LoadOptions): boolean =>
  !kernels && (tune ?? (weightBytes >= MIN_TUNED_BYTES && !device));

/** What suits most adapters of a kind, unmeasured. @throws RangeError for variants that this adapter cannot run. */
export function chooseKernels(
  adapter: AdapterDescription,
  formats: readonly WeightFormat[],
  parameters: number,
  { matvec, matmul, attention }: KernelOptions = {},
): KernelChoice {
  const broadcast = `lane_broadcast${adapter.subgroupSize}`;
  const offered = matvecCandidates(adapter).some((name) => name === broadcast);
  const team = attention ?? (adapter.software ? "lane" : "workgroup");
  const lane = offered && parameters >= SMALL ? broadcast : "lane";
  check("matvec", matvec, matvecCandidates(adapter));
  check("matmul", matmul, matmulCandidates(adapter, ...formats));
  return {
    matvec: everyRole(matvec ?? (adapter.software ? (lane as MatvecVariant) : "workgroup")),
    matmul: everyRole(matmul ?? (adapter.software ? (lane as MatmulVariant) : "tile")),
    attention: { decode: team, prefill: team },
  };
}

const everyRole = <T>(variant: T): Record<MatrixRole, T> =>
  Object.fromEntries(matrixRoles.map((role) => [role, variant])) as Record<MatrixRole, T>;

function check(kernel: string, asked: string | undefined, known: readonly string[]): void {
  if (asked === undefined || known.includes(asked)) return;
  throw outOfRange("kernels", `expected ${kernel} as one of ${known.join(", ")}, got ${asked}.`);
}
