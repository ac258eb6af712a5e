// What the sampling kernel goes by, sequence by sequence: options, penalties' counts, biases.
import { SAMPLING_WORDS, type SamplingSettings, samplingParams } from "../../kernels/index.ts";
import { outOfRange, shown } from "../options/parameter.ts";
import type { SamplerState } from "./activations.ts";

const IN_PROMPT = 0x80000000;

export class Sampler {
  readonly #queue: GPUQueue;
  readonly #state: SamplerState;
  readonly #V: number;
  /** Sequences whose logit biases are not all zero. */
  readonly #biased = new Set<number>();

  constructor(queue: GPUQueue, state: SamplerState, V: number) {
    this.#queue = queue;
    this.#state = state;
    this.#V = V;
  }

  /**
   * Options for the tokens of a sequence to come. `prompt` counts for the repetition penalty, what there is of the answer for
   * all of them.
   * @throws RangeError
   */
  configure(
    ring: number,
    settings: SamplingSettings,
    seed: number,
    prompt: readonly number[],
    answer: readonly number[] = [],
  ): void {
    const { counts, bias, params } = this.#state;
    const V = this.#V;
    checkBias(settings.logitBias, V);
    this.#queue.writeBuffer(params, 4 * SAMPLING_WORDS * ring, samplingParams(settings, seed));
    const seen = new Uint32Array(V);
    for (const id of prompt) seen[id] = IN_PROMPT;
    for (const id of answer) seen[id]! += 1;
    this.#queue.writeBuffer(counts, 4 * V * ring, seen);
    const biases = Object.entries(settings.logitBias ?? {});
    if (biases.length > 0 || this.#biased.delete(ring)) {
      const values = new Float32Array(V);
      for (const [id, value] of biases) values[Number(id)] = value;
      this.#queue.writeBuffer(bias, 4 * V * ring, values);
    }
    if (biases.length > 0) this.#biased.add(ring);
  }
}

/** @throws RangeError */
export function checkBias(bias: SamplingSettings["logitBias"], V: number): void {
  const wrong = Object.keys(bias ?? {}).find((id) => !(Number.isInteger(+id) && +id >= 0 && +id < V));
  if (wrong === undefined) return;
  throw outOfRange("logitBias", `expected token ids from 0 to ${V - 1}, got ${shown(wrong)}.`);
}
