// Decode steps as `generate` runs them: several in flight.
import type { Decoder } from "../engine/graph/decoder.ts";
import { StepsInFlight } from "../engine/scheduler/steps-in-flight.ts";

export interface Steps {
  /** From the first submission to the last token. */
  readonly seconds: number;
  /** Median milliseconds for the host to encode and submit a step. */
  readonly hostMs: number;
}

/** Decodes `count` tokens, the first at `position`. */
export async function runSteps(decoder: Decoder, position: number, count: number): Promise<Steps> {
  decoder.setRow(position);
  const flight = new StepsInFlight();
  let landed = 0;
  const host: number[] = [];
  const began = performance.now();
  for (let step = 0; step < count; step++) {
    const submitted = performance.now();
    flight.submit(decoder.step());
    host.push(performance.now() - submitted);
    for (; !flight.hasRoom; landed++) await flight.next();
  }
  for (; landed < count; landed++) await flight.next();
  const seconds = (performance.now() - began) / 1000;
  return { seconds, hostMs: host.sort((a, b) => a - b)[count >> 1] ?? 0 };
}

/** Number of steps for a run of about a fifth of `seconds`, from 4 to 64. */
export async function stepCount(decoder: Decoder, position: number, seconds: number): Promise<number> {
  const { seconds: four } = await runSteps(decoder, position, 4);
  return Math.max(4, Math.min(64, Math.floor((seconds / 5 / four) * 4)));
}
