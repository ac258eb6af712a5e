// Speed and remaining time of loading, from the engine's progress reports.
import type { Progress } from "./engine.ts";

/** Seconds over which the speed is averaged: long enough to be steady, short enough to show a change. */
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

  /** Bytes per second (variants, while tuning); undefined until there are two reports. */
  get speed(): number | undefined {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (!first || !last || last.at - first.at < 0.5) return undefined;
    return (last.loaded - first.loaded) / (last.at - first.at);
  }

  /** Seconds left in this stage. */
  remaining({ loaded, total }: Progress): number | undefined {
    const { speed } = this;
    return speed === undefined || speed <= 0 ? undefined : (total - loaded) / speed;
  }
}
