// A scheduler whose answers may be constrained, and a constraint.
import { generate } from "../../engine/answer/generate.ts";
import { describe as describeAdapter, Gpu } from "../../engine/gpu/gpu.ts";
import type { Chunk, GenerateOptions } from "../../engine/node.ts";
import { DeviceRecovery } from "../../engine/resident/device-recovery.ts";
import { placeOnGpu } from "../../engine/resident/gpu-model.ts";
import { RingPool } from "../../engine/scheduler/ring-pool.ts";
import { RingState } from "../../engine/scheduler/ring-state.ts";
import { Scheduler } from "../../engine/scheduler/scheduler.ts";
import type { SequenceOptions } from "../../engine/scheduler/sequence.ts";
import type { TokenConstraint } from "../../engine/scheduler/token-constraint.ts";
import { folderSource, openCheckpoint } from "../../weights/node.ts";
import { openTestDevice } from "../helpers.ts";

export const PROMPT = [1, 403, 407, 261, 378, 31, 64, 12];
/** To be disposed of after a test. */
export const opened: { dispose(): void }[] = [];

/** Forbids every other token: after an even number of tokens the odd ids, else the even ones. */
export class EveryOther implements TokenConstraint {
  readonly accepted: number[] = [];
  /** How many tokens were accepted when each mask was asked for. */
  readonly asked: number[] = [];
  readonly #words: number;
  constructor(V: number) {
    this.#words = Math.ceil(V / 32);
  }
  mask(): Uint32Array<ArrayBuffer> {
    this.asked.push(this.accepted.length);
    return new Uint32Array(this.#words).fill(allows(this.accepted.length, 0) ? 0x55555555 : 0xaaaaaaaa);
  }
  accept(id: number): void {
    this.accepted.push(id);
  }
}
export const allows = (index: number, id: number) => id % 2 === index % 2;

export interface Ask extends Partial<SequenceOptions> {
  readonly options?: GenerateOptions;
  /** Gets the chunks of the answer. */
  readonly chunks?: Chunk[];
}

/** A scheduler over the embedded model, on devices that a test can lose. */
export async function start({ parallel = 2, chunkLength = 32, folder = "weights/tiny-mistral" } = {}) {
  const devices: GPUDevice[] = [];
  const platform = {
    openDevice: async () => {
      const device = await openTestDevice();
      devices.push(device);
      return new Gpu(device, describeAdapter(device.adapterInfo, device), { owned: true });
    },
    tuning: { read: async () => undefined, write: async () => {} },
  };
  const checkpoint = await openCheckpoint(folderSource(folder));
  const options = { parallel, chunkLength };
  const first = await placeOnGpu(platform, checkpoint, options);
  const recovery = new DeviceRecovery(first, (before, signal) =>
    placeOnGpu(platform, checkpoint, { ...options, signal }, { before }),
  );
  opened.push(recovery);
  const { rings, cacheSlots, contextLength } = first.plan;
  const pool = new RingPool(
    Array.from({ length: rings }, (_, i) => new RingState(checkpoint.config, cacheSlots, i)),
  );
  const scheduler = new Scheduler(recovery, pool);
  const ask = async (given: Ask = {}, onToken = () => {}): Promise<number[]> => {
    const { prompt = PROMPT, constraint, maxTokens = 24, seed = 5, settings = {} } = given;
    const { options: more, chunks = [] } = given;
    const generation = { scheduler, contextLength, ids: prompt, text: undefined, endIds: new Set<number>() };
    const ids: number[] = [];
    const answer = generate(
      { ...generation, constraint },
      { temperature: 0, maxTokens, seed, ...settings, ...more },
    );
    for await (const chunk of answer as AsyncGenerator<Chunk>) {
      ids.push(...chunk.ids);
      chunks.push(chunk);
      onToken();
    }
    return ids;
  };
  const { decoder } = first;
  return { ask, V: checkpoint.config.V, device: () => devices.at(-1)!, scheduler, decoder };
}
