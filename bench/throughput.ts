// throughput: 1, 2, 4, 8 answers at once, by the model in this process. run-server.ts does the same over
// HTTP.
import { idsPrompt } from "./prompts.ts";
import { type Ask, measureStreams } from "./streams.ts";
import type { Suite } from "./suite.ts";

export const throughput: Suite = async (bench) => {
  const { loaded, streams: asked } = bench;
  const room = loaded.contextLength - asked.answerTokens;
  // The longest prompt has 1.5 times the mean length.
  const promptTokens = Math.min(asked.promptTokens, Math.floor(room / 1.5));
  if (promptTokens < 1) {
    bench.note(
      `throughput: a context of ${loaded.contextLength} holds no prompt and ${asked.answerTokens} tokens`,
    );
    return;
  }
  const ask: Ask = async (question, arrived, signal) => {
    const prompt = idsPrompt(question.index, question.promptTokens, loaded.config.V, question.next);
    const options = { temperature: 0, maxTokens: question.answerTokens, ignoreEos: true, signal };
    for await (const { ids, finish } of loaded.generate(prompt, options)) {
      if (ids.length > 0) arrived();
      if (finish?.reason === "abort") break;
      if (finish) return finish;
    }
    signal.throwIfAborted();
    throw new Error("throughput: expected an answer that finishes, got none.");
  };
  const { parallel } = loaded.plan;
  const streams = asked.streams.filter((count) => count <= parallel);
  if (streams.length < asked.streams.length)
    bench.note(`throughput: rings for more than ${parallel} answers at once do not fit`);
  await measureStreams({ ...bench, ask, setting: { ...asked, streams, promptTokens } });
};
