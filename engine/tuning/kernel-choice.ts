// Which variants of the hot kernels an adapter can run, and which a model gets unmeasured.
import {
  type Kernel,
  type MatmulVariant,
  type MatvecVariant,
  matmul,
  matmulVariants,
  matvec,
  matvecVariants,
  suits,
  type Team,
  type WeightFormat,
  weightFormats,
} from "../../kernels/index.ts";
import type { AdapterDescription, KernelChoice, KernelOptions, LoadOptions, MatrixRole } from "../api.ts";
import { layerMatrices } from "../graph/model-tensors.ts";
import { outOfRange } from "../options/parameter.ts";

export const teams: readonly Team[] = ["workgroup", "lane"];

export const matrixRoles: readonly MatrixRole[] = [...layerMatrices, "lmHead"];

/** The variants that an adapter can run. The first one runs everywhere. */
export const matvecCandidates = (adapter: AdapterDescription): MatvecVariant[] =>
  (Object.keys(matvecVariants) as MatvecVariant[]).filter((name) =>
    runs(adapter, matvec(weightFormats.f32, name)),
  );

/** The variants that an adapter can run on weights in any of some formats. The first one runs everywhere. */
export const matmulCandidates = (
  adapter: AdapterDescription,
  ...formats: readonly WeightFormat[]
): MatmulVariant[] =>
  (Object.keys(matmulVariants) as MatmulVariant[]).filter((name) =>
    formats.some((format) => suits(name, format) && runs(adapter, matmul(format, name))),
  );

const runs = (
  { features, subgroupSize }: AdapterDescription,
  kernel: Pick<Kernel, "requires" | "subgroupSize">,
): boolean =>
  (kernel.requires ?? []).every((feature) => features.includes(feature)) &&
  (kernel.subgroupSize === undefined || kernel.subgroupSize === subgroupSize);

/** A software driver takes longer to compile its fastest kernels than they save in smaller models. */
const MIN_BROADCAST_PARAMETERS = 2 ** 25;

/** Smaller models could answer before a tuner is done. */
const MIN_TUNED_BYTES = 64 * 2 ** 20;

/** Whether a model gets measured kernels. */
export const wantsTuning = (weightBytes: number, { tune, device, kernels }: LoadOptions): boolean =>
  !kernels && (tune ?? (weightBytes >= MIN_TUNED_BYTES && !device));

/**
 * The kernels that suit most adapters of a kind, unmeasured.
 * @throws RangeError for variants that this adapter cannot run
 */
export function chooseKernels(
  adapter: AdapterDescription,
  formats: readonly WeightFormat[],
  parameters: number,
  { matvec, matmul, attention }: KernelOptions = {},
): KernelChoice {
  const broadcast = `lane_broadcast${adapter.subgroupSize}`;
  const offered = matvecCandidates(adapter).some((name) => name === broadcast);
  const team = attention ?? (adapter.software ? "lane" : "workgroup");
  const lane = offered && parameters >= MIN_BROADCAST_PARAMETERS ? broadcast : "lane";
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
