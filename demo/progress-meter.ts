// Speed and remaining time of loading, from the engine's progress reports.
import type { Progress } from "./engine.ts";

/** Seconds over which the speed is averaged: long enough to be steady, short enough to show a change. */
const SPAN = 8;
/** If a report takes this many times as long as those before it, the machine slept. */
const SLEPT_TIMES = 10;

export class ProgressMeter {
  #samples: { at: number; loaded: number }[] = [];
  #stage: Progress["stage"] | undefined;

  /** @param now seconds */
  add({ stage, loaded }: Progress, now = performance.now() / 1000): void {
    if (stage !== this.#stage || this.#slept(loaded, now)) this.#samples = [];
    this.#stage = stage;
    this.#samples.push({ at: now, loaded });
    while ((this.#samples[1]?.at ?? now) < now - SPAN) this.#samples.shift();
  }

  /** Whether this report comes much later than at the speed so far: then that time tells nothing. */
  #slept(loaded: number, now: number): boolean {
    const last = this.#samples.at(-1);
    if (!last || !this.speed) return false;
    const gap = now - last.at;
    return gap > SPAN && gap > (SLEPT_TIMES * (loaded - last.loaded)) / this.speed;
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
