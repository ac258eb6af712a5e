// The kernels that were fastest on this adapter at these shapes: remembered, or measured and then remembered.
import { attentionVariants, matmulVariants, matvecVariants } from "../../kernels/index.ts";
import { version } from "../../package.json";
import { sha256OfText } from "../../weights/index.ts";
import type { KernelChoice, LoadOptions, MatrixRole, Plan, Tuning } from "../api.ts";
import type { Pipelines } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { type MainMatrix, type ModelLayout, mainMatrices } from "../graph/layout.ts";
import type { Shape } from "../graph/shape.ts";
import {
  attentionCandidates,
  matmulCandidates,
  matrixRoles,
  matvecCandidates,
  wantsTuning,
} from "./kernel-choice.ts";

/** Where choices are stored: files in Node, the origin private file system in a browser. */
export interface TuningStore {
  read(name: string): Promise<string | undefined>;
  write(name: string, text: string): Promise<void>;
}

/** A planned model: the parts that decide which kernels are fastest. */
export interface Untuned {
  readonly plan: Pick<Plan, "weights" | "weightBytes">;
  readonly shape: Shape;
  readonly layout: ModelLayout;
}

/** The fastest kernels for a model: as remembered, or measured now. undefined: a small model that was not. */
export const tunedKernels = async (
  gpu: Gpu,
  pipelines: Pipelines,
  store: TuningStore | undefined,
  model: Untuned,
  options: LoadOptions,
): Promise<KernelChoice | undefined> =>
  (await remembered(gpu, store, model)) ??
  (wantsTuning(model.plan.weightBytes, options)
    ? (await measureKernels(gpu, pipelines, store, model, options)).choice
    : undefined);

/** Measures, and remembers the choice. */
export async function measureKernels(
  gpu: Gpu,
  pipelines: Pipelines,
  store: TuningStore | undefined,
  { plan, shape, layout }: Untuned,
  { onProgress, signal }: LoadOptions,
): Promise<Tuning> {
  // Most loads measure nothing, and a page that loads so does not fetch this code.
  const { tune } = await import("./tune.ts");
  const matrices = mainMatrices(layout);
  const { weightBytes } = plan;
  const measured = { shape, matrices, weightBytes };
  const { choice, measurements } = await tune(gpu, pipelines, measured, { onProgress, signal });
  const tuning = { adapter: gpu.adapter, weights: plan.weights, choice, measurements };
  // If nothing can be stored, the next load measures again.
  const name = await tuningName(gpu, shape, matrices);
  await store?.write(name, JSON.stringify({ name, ...tuning }, null, 2)).catch(() => {});
  return tuning;
}

/** @returns undefined if nothing is remembered that this adapter can run */
async function remembered(
  gpu: Gpu,
  store: TuningStore | undefined,
  { shape, layout }: Untuned,
): Promise<KernelChoice | undefined> {
  const { adapter } = gpu;
  const matrices = mainMatrices(layout);
  const name = await tuningName(gpu, shape, matrices);
  const text = await store?.read(name).catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const stored = JSON.parse(text) as { name: string; choice: KernelChoice };
    const { choice } = stored;
    const known =
      stored.name === name &&
      matrixRoles.every(
        (role) =>
          matvecCandidates(adapter, matrices[role].format).includes(choice.matvec[role]) &&
          matmulCandidates(adapter, matrices[role].format).includes(choice.matmul[role]),
      );
    const { decode, prefill } = choice.attention;
    const attention = attentionCandidates(adapter);
    return known && attention.includes(decode) && attention.includes(prefill) ? choice : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A file name for the choice. It is valid for one adapter, driver, version of this package, and set of
 * formats, shapes and numbers of rows.
 */
async function tuningName(
  { adapter }: Gpu,
  shape: Shape,
  matrices: Readonly<Record<MatrixRole, MainMatrix>>,
): Promise<string> {
  const { L, H, G, d, B, S, W, parallel, chunkLength, cacheFormat } = shape;
  const key = [
    [version, Object.keys(matvecVariants), Object.keys(matmulVariants), Object.keys(attentionVariants)],
    // Whole: Firefox names no adapter, and its second GPU may differ in the limits only.
    adapter,
    matrixRoles.map((role) => [matrices[role].format.name, matrices[role].N, matrices[role].K]),
    [L, H, G, d, B, parallel, chunkLength, cacheFormat.name, Math.min(S, W)],
  ];
  return `tuning-${(await sha256OfText(JSON.stringify(key))).slice(0, 16)}.json`;
}
