// The line on a terminal about how far an evaluation is.
import type { Context } from "./context.ts";
import { formatDuration } from "./format.ts";

export class EvalProgress {
  readonly #context: Context;
  readonly #total: number;
  readonly #unit: string;
  /** Done before this run. */
  readonly #before: number;
  readonly #isShown: boolean;
  readonly #start = performance.now();

  constructor(context: Context, quiet: boolean, total: number, unit: string, before = 0) {
    this.#context = context;
    this.#isShown = !quiet;
    this.#total = total;
    this.#unit = unit;
    this.#before = before;
  }

  show(done: number): void {
    if (!this.#isShown) return;
    const perUnit = (performance.now() - this.#start) / Math.max(1, done - this.#before);
    const left = formatDuration((this.#total - done) * perUnit);
    this.#context.output.replaceStatus(`${done} of ${this.#total} ${this.#unit}, ETA ${left}`);
  }

  clear(): void {
    if (this.#isShown) this.#context.output.clearStatus();
  }
}
