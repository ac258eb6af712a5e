// Decode steps as `generate` runs them: several in flight.
import { STEPS_IN_FLIGHT } from "../engine/cache.ts";
import type { Decoder } from "../engine/decoder.ts";

export interface Steps {
  /** From the first submission to the last token. */
  readonly seconds: number;
  /** Median milliseconds that the host took to encode and submit a step. */
  readonly hostMs: number;
}

/** Decodes `count` tokens from `position` on. */
export async function runSteps(decoder: Decoder, position: number, count: number): Promise<Steps> {
  decoder.moveTo(position);
  const flying: Promise<number>[] = [];
  const host: number[] = [];
  const began = performance.now();
  for (let step = 0; step < count; step++) {
    const submitted = performance.now();
    flying.push(decoder.step());
    host.push(performance.now() - submitted);
    if (flying.length === STEPS_IN_FLIGHT) await flying.shift();
  }
  await Promise.all(flying);
  const seconds = (performance.now() - began) / 1000;
  return { seconds, hostMs: host.sort((a, b) => a - b)[count >> 1] ?? 0 };
}

/** Steps for about a fifth of a figure's seconds, from 4 to 64. */
export async function stepCount(decoder: Decoder, position: number, seconds: number): Promise<number> {
  const { seconds: four } = await runSteps(decoder, position, 4);
  return Math.max(4, Math.min(64, Math.floor((seconds / 5 / four) * 4)));
}
