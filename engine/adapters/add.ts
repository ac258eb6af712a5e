// Adds and removes LoRA adapters of a loaded model. A lazy chunk.
import {
  type Adapter,
  type Checkpoint,
  CheckpointError,
  fileSource,
  labelled,
  openAdapter,
  requiredTensors,
  type Source,
} from "../../weights/index.ts";
import type { AdapterSource, AddAdapterOptions } from "../api.ts";
import { checkOptions, type Rules, signal, text } from "../options/check.ts";
import { outOfRange, shown, wrongType } from "../options/parameter.ts";
import { isSource } from "../options/tables.ts";
import type { RingPool } from "../scheduler/ring-pool.ts";
import type { RingState } from "../scheduler/ring-state.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { Adapters } from "./adapters.ts";
import { named } from "./chosen.ts";
import { placeAdapters } from "./place.ts";
import { sorted } from "./sorted.ts";

interface Parts {
  readonly checkpoint: Pick<Checkpoint, "config" | "quantised">;
  readonly adapters: Adapters;
  readonly scheduler: Pick<Scheduler, "runExclusive">;
}

const rules: Rules<AddAdapterOptions> = { token: text, signal };

/** Any ring: it is left as it is. */
const anyRing = (rings: RingPool) => rings.borrow([]);

/** See `Model.addAdapter`. */
export async function addAdapter(
  { checkpoint, adapters, scheduler, openSource }: Parts & { openSource: OpenSource },
  name: string,
  from: AdapterSource,
  options: AddAdapterOptions,
): Promise<void> {
  checkOptions("addAdapter", options, rules);
  checkNew(adapters, name);
  const opened = await labelled(`adapter ${shown(name)}`, async () => {
    const source = await sourceOf(from, openSource, options);
    const adapter = await openAdapter(name, source, checkpoint.config, options.signal);
    checkRuns(adapter);
    checkOrder(adapter, checkpoint);
    return adapter;
  });
  const adapter = sorted(opened, checkpoint.quantised?.hiddenOrderOf);
  await scheduler.runExclusive(
    anyRing,
    async (gpuModel) => {
      // Another may have come meanwhile.
      checkNew(adapters, name);
      await placeAdapters(adapters, gpuModel, [...adapters.loaded, adapter]);
    },
    options,
  );
}

/** @throws TypeError, RangeError with `parameter` */
function checkNew({ loaded }: Adapters, name: string): void {
  if (typeof name !== "string") throw wrongType("name", `expected a text, got ${shown(name)}.`);
  if (name === "") throw outOfRange("name", "expected a name for the adapter, got an empty text.");
  if (loaded.some((each) => each.name === name))
    throw outOfRange(
      "name",
      `expected one that no adapter has, got ${shown(name)}. Remove that adapter first.`,
    );
}

/**
 * A packed checkpoint has rows of gate_proj and up_proj in the order of down_proj's columns. Files of earlier
 * versions do not say which that is.
 * @throws CheckpointError for an adapter of these matrices, if any matrix is in act-order
 */
function checkOrder(
  { changes }: Adapter,
  { config, quantised }: Pick<Checkpoint, "config" | "quantised">,
): void {
  const isOrdered = requiredTensors(config).some((tensor) => quantised?.columnsOf?.(tensor.name));
  if (!isOrdered || quantised?.hiddenOrderOf) return;
  for (const [tensor, { role }] of changes) {
    if (role !== "gateProj" && role !== "upProj" && role !== "downProj") continue;
    throw new CheckpointError(
      `${tensor}: expected a matrix whose order is known, got one of a packed checkpoint in act-order. Pack the original again with sirocco quantize, or load it.`,
    );
  }
}

/** @throws CheckpointError for what only a merged checkpoint can have */
function checkRuns({ changes }: Adapter): void {
  for (const [tensor, { whole, tokens, matrix }] of changes) {
    const found = whole
      ? "a tensor in its place (modules_to_save)"
      : tokens
        ? "rows of tokens (trainable_token_indices)"
        : matrix?.bias && "a bias (lora_bias)";
    if (found)
      throw new CheckpointError(
        `${tensor}: expected an adapter that adds to matrices, got ${found}. Merge it into the model with sirocco merge, and load that.`,
      );
  }
}

/** See `Model.removeAdapter`. */
export async function removeAdapter(
  { adapters, scheduler, rings }: Parts & { readonly rings: readonly RingState[] },
  name: string,
): Promise<void> {
  if (typeof name !== "string") throw wrongType("name", `expected a text, got ${shown(name)}.`);
  removable(adapters, name);
  await scheduler.runExclusive(anyRing, async (gpuModel) => {
    const removed = removable(adapters, name);
    // Calls that begin meanwhile do not find it.
    adapters.calls.delete(removed);
    try {
      await placeAdapters(adapters, gpuModel);
    } catch (error) {
      adapters.calls.set(removed, 0);
      throw error;
    }
    for (const ring of rings)
      if (ring.mix?.some(({ adapter }) => adapter === removed)) ring.use(undefined, gpuModel.decoder);
  });
}

/** @throws RangeError with `parameter` if it is not loaded, or in use */
function removable(adapters: Adapters, name: string): Adapter {
  const adapter = named(adapters.loaded, name, "name");
  const calls = adapters.calls.get(adapter)!;
  if (calls === 0) return adapter;
  const users = calls === 1 ? "a call uses" : `${calls} calls use`;
  throw outOfRange(
    "name",
    `expected an adapter that no call uses, got ${shown(name)}, which ${users}. Wait for the end.`,
  );
}

type OpenSource = (name: string, options: AddAdapterOptions) => Source | Promise<Source>;

function sourceOf(
  from: AdapterSource,
  open: OpenSource,
  options: AddAdapterOptions,
): Source | Promise<Source> {
  if (typeof from === "string") return open(from, options);
  if (isSource(from)) return from as Source;
  if (Array.isArray(from)) return fileSource(from);
  throw wrongType(
    "source",
    `expected a folder, an address, a name on the Hub, files or a Source, got ${shown(from)}.`,
  );
}
