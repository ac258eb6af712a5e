import type { Checkpoint } from "./checkpoint.ts";

/** What a checkpoint says that has lost its attention window, of so many tokens. @param name of the source */
export const lostWindow = (window: number, name: string): Pick<Checkpoint, "warnings" | "lostWindow"> => ({
  warnings: [
    `${name}: GGUF does not keep the attention window of ${window} tokens that this model had, so it runs without one. Load it with window: ${window} (--window ${window}).`,
  ],
  lostWindow: window,
});
