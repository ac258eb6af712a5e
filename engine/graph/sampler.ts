// The sampling kernel's inputs for each sequence: options, counts for penalties, biases, masks.
import {
  maskWords,
  SAMPLING_WORDS,
  type SamplingSettings,
  samplingParams,
  USES_COUNTS,
} from "../../kernels/index.ts";
import type { Submitter } from "../gpu/submitter.ts";
import { outOfRange, shown } from "../options/parameter.ts";
import type { SamplerState } from "./activations.ts";

const IN_PROMPT = 0x80000000;

export interface SamplerOptions {
  readonly settings: SamplingSettings;
  readonly seed: number;
  /** Counts for the repetition penalty. */
  readonly prompt: readonly number[];
  /** The answer so far counts for all penalties. */
  readonly answer?: readonly number[];
  /** Whether only the tokens of `setMask` may be picked. Default false. */
  readonly masked?: boolean;
}

export class Sampler {
  readonly #queue: Pick<Submitter, "writeBuffer">;
  readonly #state: SamplerState;
  readonly #V: number;
  /** Rings whose sequences have penalties. */
  readonly #counted = new Set<number>();
  /** Rings whose logit biases are not all zero. */
  readonly #biased = new Set<number>();

  constructor(queue: Pick<Submitter, "writeBuffer">, state: SamplerState, V: number) {
    this.#queue = queue;
    this.#state = state;
    this.#V = V;
  }

  /**
   * Sets how the next tokens of a ring's sequence are chosen.
   * @throws RangeError naming the option that is out of range
   */
  configure(ring: number, { settings, seed, prompt, answer = [], masked = false }: SamplerOptions): void {
    const { bias, params } = this.#state;
    const V = this.#V;
    checkBias(settings.logitBias, V);
    const words = samplingParams(settings, seed, masked);
    this.#queue.writeBuffer(params, 4 * SAMPLING_WORDS * ring, words);
    if (words[10]! & USES_COUNTS) this.#counted.add(ring);
    else this.#counted.delete(ring);
    this.#count(ring, prompt, answer);
    const biases = Object.entries(settings.logitBias ?? {});
    if (biases.length > 0 || this.#biased.delete(ring)) {
      const values = new Float32Array(V);
      for (const [id, value] of biases) values[Number(id)] = value;
      this.#queue.writeBuffer(bias, 4 * V * ring, values);
    }
    if (biases.length > 0) this.#biased.add(ring);
  }

  /** Counts an answer to which tokens were added that the sampler did not pick. */
  recount(ring: number, prompt: readonly number[], answer: readonly number[]): void {
    if (this.#counted.has(ring)) this.#count(ring, prompt, answer);
  }

  #count(ring: number, prompt: readonly number[], answer: readonly number[]): void {
    const seen = new Uint32Array(this.#V);
    for (const id of prompt) seen[id] = IN_PROMPT;
    for (const id of answer) seen[id]! += 1;
    this.#queue.writeBuffer(this.#state.counts, 4 * this.#V * ring, seen);
  }

  /**
   * The tokens that may be picked next for this ring's sequence, if it was configured as `masked`.
   * @param mask bit i % 32 of word floor(i / 32) allows token i
   * @throws RangeError if it has another length, or allows no token
   */
  setMask(ring: number, mask: Uint32Array<ArrayBuffer>): void {
    const words = maskWords(this.#V);
    const last = this.#V % 32 === 0 ? 0xffffffff : 2 ** (this.#V % 32) - 1;
    const allowsAny = mask.some((word, i) => (i === words - 1 ? word & last : word) !== 0);
    if (mask.length !== words || !allowsAny)
      throw outOfRange(
        "constraint",
        `expected a mask of ${words} words that allows a token, got ${mask.length} words${allowsAny ? "" : " that allow none"}.`,
      );
    this.#queue.writeBuffer(this.#state.mask, 4 * words * ring, mask);
  }
}

/** @throws RangeError */
export function checkBias(bias: SamplingSettings["logitBias"], V: number): void {
  const wrong = Object.keys(bias ?? {}).find((id) => !(Number.isInteger(+id) && +id >= 0 && +id < V));
  if (wrong === undefined) return;
  throw outOfRange("logitBias", `expected token ids from 0 to ${V - 1}, got ${shown(wrong)}.`);
}
