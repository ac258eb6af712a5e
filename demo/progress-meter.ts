// How fast loading is, and how long it still takes, from the progress that the engine reports.
import type { Progress } from "./engine.ts";

/** Seconds over which the speed is taken: long enough to be steady, short enough to notice a change. */
const SPAN = 8;

export class ProgressMeter {
  #samples: { at: number; loaded: number }[] = [];
  #stage: Progress["stage"] | undefined;

  /** @param now seconds */
  add({ stage, loaded }: Progress, now = performance.now() / 1000): void {
    if (stage !== this.#stage) this.#samples = [];
    this.#stage = stage;
    this.#samples.push({ at: now, loaded });
    while ((this.#samples[1]?.at ?? now) < now - SPAN) this.#samples.shift();
  }

  /** Bytes a second (variants, while tuning); undefined until there is something to tell. */
  get speed(): number | undefined {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (!first || !last || last.at - first.at < 0.5) return undefined;
    return (last.loaded - first.loaded) / (last.at - first.at);
  }

  /** Seconds to go in this stage. */
  remaining({ loaded, total }: Progress): number | undefined {
    const { speed } = this;
    return speed === undefined || speed <= 0 ? undefined : (total - loaded) / speed;
  }
}
