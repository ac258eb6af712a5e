// Detects a server that is alive but stuck: all slots are taken, and the model makes no progress.
import type { Model } from "../engine/node.ts";
import type { Admission } from "./admission.ts";

export class StallDetector {
  readonly #model: Model;
  readonly #admission: Admission;
  readonly #stuckMs: number;
  #seen = "";
  #since = performance.now();

  constructor(model: Model, admission: Admission, stuckMs: number) {
    this.#model = model;
    this.#admission = admission;
    this.#stuckMs = stuckMs;
  }

  /**
   * Whether all slots are taken and for `stuckMs` no slot was taken or released, no prompt token computed and
   * no step run. Compares with the counts of the previous call, so it must be called regularly.
   */
  async isStuck(): Promise<boolean> {
    const { moves, running, parallel } = this.#admission;
    const { steps, prefillTokens } = await this.#model.activity();
    const now = [moves, steps, prefillTokens].join();
    if (now !== this.#seen || running < parallel) this.#since = performance.now();
    this.#seen = now;
    return performance.now() - this.#since >= this.#stuckMs;
  }
}
