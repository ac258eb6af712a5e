// The models that the page offers by itself.
import { type Choice, EMBEDDED } from "./engine.ts";

export interface Recommended {
  readonly title: string;
  readonly about: string;
  /** Bytes to download; 0 for a part of the page. */
  readonly bytes: number;
  readonly choice: Choice;
}

const named = (name: string): Choice => ({ kind: "named", name });

const TINY: Recommended = {
  title: "Tiny Tales 5M",
  about: "Children's stories.",
  bytes: 0,
  choice: EMBEDDED,
};
/** A GGUF file in Q4_K_M, of a repository that asks for no permission. */
export const MISTRAL: Recommended = {
  title: "Mistral 7B Instruct, 4\u00a0bits",
  about: "Conversations in many languages. Needs a GPU with about 6 GB.",
  bytes: 4.37e9,
  choice: named("bartowski/Mistral-7B-Instruct-v0.3-GGUF/Mistral-7B-Instruct-v0.3-Q4_K_M.gguf"),
};
const MISTRAL_16: Recommended = {
  title: "Mistral 7B Instruct, 16\u00a0bits",
  about:
    "The original. It is quantised here, in the format that you choose. Its owner asks you to accept terms.",
  bytes: 14.5e9,
  choice: named("mistralai/Mistral-7B-Instruct-v0.3"),
};

export const recommended: readonly Recommended[] = [TINY, MISTRAL, MISTRAL_16];
