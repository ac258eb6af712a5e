// throughput: several prompts answered one after the other by one model, as a script would ask them.
import { figure, repeat, timed } from "./measure.ts";
import type { Suite } from "./suite.ts";

const PROMPTS = 8;
const PROMPT_TOKENS = 64;
const ANSWER_TOKENS = 32;

export const throughput: Suite = async (bench) => {
  const { loaded, budget, signal } = bench;
  const promptTokens = Math.min(PROMPT_TOKENS, loaded.contextLength - ANSWER_TOKENS);
  if (promptTokens < 1) {
    bench.note(
      `throughput: a context of ${loaded.contextLength} holds no prompt and ${ANSWER_TOKENS} tokens`,
    );
    return;
  }
  bench.doing(`${PROMPTS} prompts`);
  let asked = 0;
  const seconds = await repeat(budget, signal, () =>
    timed(async () => {
      for (let i = 0; i < PROMPTS && !signal.aborted; i++) {
        // No two prompts share a start: nothing is found in the cache.
        const prompt = Array.from({ length: promptTokens }, (_, t) => (asked + t * 7) % loaded.config.V);
        asked++;
        const answer = loaded.generate(prompt, { maxTokens: ANSWER_TOKENS, ignoreEos: true, signal });
        for await (const _ of answer);
      }
      signal.throwIfAborted();
    }),
  );
  const params = { prompts: PROMPTS, promptTokens, answerTokens: ANSWER_TOKENS, together: 1 };
  bench.add("promptsPerSecond", "prompts/s", figure(seconds.map((s) => PROMPTS / s)), params);
  bench.add("tokensPerSecond", "tokens/s", figure(seconds.map((s) => (PROMPTS * ANSWER_TOKENS) / s)), params);
};
