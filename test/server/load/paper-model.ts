// Answers for load: each is a function of its prompt.
import { setTimeout as sleep } from "node:timers/promises";
import type { GenerateOptions } from "../../../engine/node.ts";
import { type FakeModel, fakeModel } from "../../fake-model.ts";

/** The answer to a prompt that begins like this has no end. */
export const ENDLESS = "endless";
/** The answer to a prompt that begins like this has tokens of 16 kB. */
export const WIDE = `${ENDLESS} wide`;

const CONTEXT = 8192;

/** The fake model's answer to a prompt. */
export function paperText(prompt: string, maxTokens: number, seed = 0): { text: string; reason: string } {
  const length = lengthOf(prompt);
  const count = Math.min(length, maxTokens);
  const text = Array.from({ length: count }, (_, i) => token(prompt, seed, i)).join("");
  return { text, reason: count === length ? "stop" : "length" };
}

const lengthOf = (prompt: string): number =>
  prompt.startsWith(ENDLESS) ? Infinity : 4 + (hash(`${prompt} length`) % 40);

const token = (prompt: string, seed: number, index: number): string =>
  prompt.startsWith(WIDE) ? "w".repeat(16_384) : ` w${hash(`${prompt}|${seed}|${index}`).toString(36)}`;

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

/** A fake model whose answers are `paperText`, a token a millisecond. */
export const paperModel = (): FakeModel =>
  fakeModel({ pieces: tokens, before: () => sleep(1), contextLength: CONTEXT });

function* tokens(prompt: string, { seed = 0 }: GenerateOptions): Generator<string, void, void> {
  const length = lengthOf(prompt);
  for (let i = 0; i < length; i++) yield token(prompt, seed, i);
}
