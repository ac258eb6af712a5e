// Whether the model gets anything done: a server whose places are all held by work that does not move is not ready, however alive.
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
   * Whether every place is taken, and since `stuckMs` no place was taken or left, no prompt token computed and no step run. It
   * compares with what it saw when it was last asked, so whoever wants to know has to ask now and then.
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
