// Which variants of the hot kernels an adapter can run, and which a model gets unmeasured.
import {
  type AttentionVariant,
  attentionVariants,
  matmulVariants,
  matvecVariants,
  type Requirements,
  type Rounding,
  suits,
  type WeightFormat,
} from "../../kernels/index.ts";
import type {
  AdapterDescription,
  KernelChoice,
  KernelOptions,
  LoadOptions,
  MatrixRole,
  Pass,
} from "../api.ts";
import { CPU_ARCHITECTURE } from "../gpu/cpu-architecture.ts";
import { layerMatrices } from "../graph/model-tensors.ts";
import { outOfRange } from "../options/parameter.ts";

export const matrixRoles: readonly MatrixRole[] = [...layerMatrices, "lmHead"];

/** The variants that an adapter can run on weights in any of some formats. The first one runs everywhere. */
const candidates =
  <Name extends string>(variants: Readonly<Record<Name, Requirements & Rounding>>) =>
  (adapter: AdapterDescription, ...formats: readonly WeightFormat[]): Name[] =>
    (Object.keys(variants) as Name[]).filter(
      (name) => runs(adapter, variants[name]) && formats.some((format) => suits(variants[name], format)),
    );

export const matvecCandidates = candidates(matvecVariants);
export const matmulCandidates = candidates(matmulVariants);

/** The variants that an adapter can run. The first one runs everywhere. */
export const attentionCandidates = (adapter: AdapterDescription): AttentionVariant[] =>
  (Object.keys(attentionVariants) as AttentionVariant[]).filter((name) =>
    runs(adapter, attentionVariants[name]),
  );

/** One variant for each kernel of a pass: some share the kernel for prefill. */
export const attentionContestants = (adapter: AdapterDescription, pass: Pass): AttentionVariant[] => {
  const names = attentionCandidates(adapter);
  const kernel = (name: AttentionVariant) => attentionVariants[name][pass];
  return names.filter((name, i) => !names.slice(0, i).some((before) => kernel(before) === kernel(name)));
};

const runs = (adapter: AdapterDescription, needed: Requirements): boolean =>
  (needed.requires ?? []).every((feature) => adapter.features.includes(feature)) &&
  (needed.subgroupSize ?? adapter.subgroupSize) === adapter.subgroupSize &&
  (needed.workgroupBytes ?? 0) <= adapter.maxWorkgroupBytes &&
  (needed.workgroupThreads ?? 0) <= adapter.maxWorkgroupThreads;

/** A software driver takes longer to compile its fastest kernels than they save in smaller models. */
const MIN_BROADCAST_PARAMETERS = 2 ** 25;

/** Smaller models could answer before a tuner is done. */
const MIN_TUNED_BYTES = 64 * 2 ** 20;

/** Whether a model gets measured kernels, if there are any. On the CPU there is nothing to choose. */
export const usesTuning = ({ tune, device, kernels }: LoadOptions, adapter: AdapterDescription): boolean =>
  !kernels && adapter.architecture !== CPU_ARCHITECTURE && (tune ?? !device);

/** Whether its kernels are measured if they have not been before. */
export const wantsTuning = (weightBytes: number, { tune = false }: LoadOptions): boolean =>
  tune || weightBytes >= MIN_TUNED_BYTES;

/**
 * The kernels that suit most adapters of a kind, unmeasured. For GPUs this is a prediction.
 * @throws RangeError for variants that this adapter cannot run
 */
export function chooseKernels(
  adapter: AdapterDescription,
  formats: readonly WeightFormat[],
  parameters: number,
  { matvec, matmul, attention }: KernelOptions = {},
): KernelChoice {
  const vectors = matvecCandidates(adapter, ...formats);
  const matrices = matmulCandidates(adapter, ...formats);
  check("matvec", matvec, vectors);
  check("matmul", matmul, matrices);
  check("attention", attention, attentionCandidates(adapter));
  if (adapter.architecture === CPU_ARCHITECTURE) {
    // Each computes the same on a CPU, but for the rounding of inputs. `workgroup` splits many keys, so that
    // all threads have some.
    return {
      matvec: everyRole(matvec ?? "stream_int8"),
      matmul: everyRole(matmul ?? "tile_int8"),
      attention: { decode: attention ?? "workgroup", prefill: attention ?? "workgroup" },
    };
  }
  const large = parameters >= MIN_BROADCAST_PARAMETERS;
  const laneVector = (large && vectors.find((name) => ofOneSubgroupSize(matvecVariants[name]))) || "lane";
  const laneMatrix = (large && matrices.find((name) => ofOneSubgroupSize(matmulVariants[name]))) || "lane";
  return {
    matvec: everyRole(matvec ?? (adapter.software ? laneVector : "stream")),
    matmul: everyRole(matmul ?? (adapter.software ? laneMatrix : "tile")),
    attention: {
      decode: attention ?? (adapter.software ? "lane" : "teams"),
      prefill: attention ?? (adapter.software ? "lane" : "workgroup"),
    },
  };
}

/** Variants made for one subgroup size are the fastest on software drivers. */
const ofOneSubgroupSize = ({ subgroupSize }: Requirements): boolean => subgroupSize !== undefined;

const everyRole = <T>(variant: T): Record<MatrixRole, T> =>
  Object.fromEntries(matrixRoles.map((role) => [role, variant])) as Record<MatrixRole, T>;

function check(kernel: string, asked: string | undefined, known: readonly string[]): void {
  if (asked === undefined || known.includes(asked)) return;
  throw outOfRange("kernels", `expected ${kernel} as one of ${known.join(", ")}, got ${asked}.`);
}
