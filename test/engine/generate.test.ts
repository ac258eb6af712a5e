// What callers of generate and chat rely on: stops, limits, aborts, reuse, options, disposal.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Chunk,
  ContextLengthError,
  type GenerateOptions,
  loadModel,
  type Model,
} from "../../engine/node.ts";

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.dispose());

async function run(prompt: string | number[], options: GenerateOptions = {}) {
  const chunks: Chunk[] = [];
  for await (const chunk of model.generate(prompt, { temperature: 0, ...options })) chunks.push(chunk);
  const finish = chunks.at(-1)?.finish;
  if (!finish) throw new Error("the last chunk has no finish");
  return {
    chunks,
    text: chunks.map(({ text }) => text).join(""),
    ids: chunks.flatMap(({ ids }) => ids),
    finish,
  };
}

describe("generate", () => {
  test("maxTokens, counts, text = decoded ids", async () => {
    const { chunks, text, ids, finish } = await run("Once upon a time", { maxTokens: 12 });
    expect(ids.length).toBe(12);
    expect(finish).toMatchObject({ reason: "length", promptTokens: 5, completionTokens: 12 });
    expect(chunks.slice(0, -1).every((chunk) => chunk.finish === undefined)).toBe(true);
    expect(await model.decode([...(await model.encode("Once upon a time")), ...ids])).toBe(
      `Once upon a time${text}`,
    );
    expect(await run("Once upon a time", { maxTokens: 0 })).toMatchObject({
      text: "",
      ids: [],
      finish: { reason: "length" },
    });
  });

  test("ends at the end-of-sequence token, which is not part of the answer", async () => {
    const [eos] = model.config.eosTokenIds;
    const biased = { maxTokens: 8, logitBias: { [eos!]: 1000 } };
    expect(await run("Once", biased)).toMatchObject({
      text: "",
      ids: [],
      finish: { reason: "stop", completionTokens: 0 },
    });
    expect((await run("Once", { ...biased, ignoreEos: true })).ids).toEqual(Array(8).fill(eos));
  });

  test("stop strings are found across chunks and not shown", async () => {
    const whole = (await run("Once upon a time", { maxTokens: 40 })).text;
    for (const stop of [whole.slice(10, 22), whole.slice(30, 31)]) {
      const { text, finish } = await run("Once upon a time", {
        maxTokens: 40,
        stop: ["never to be seen", stop],
      });
      expect(text).toBe(whole.slice(0, whole.indexOf(stop)));
      expect(finish.reason).toBe("stop");
    }
    // An incomplete stop string is part of the text in the end.
    expect((await run("Once upon a time", { maxTokens: 40, stop: `${whole.slice(-5)}~` })).text).toBe(whole);
  });

  test("a stop has no effect on the next answer: it equals a fresh model's", async () => {
    const options = { maxTokens: 30, ignoreEos: true };
    const prompt = await model.encode("The dog");
    const fresh = await run(prompt, options);
    await run(prompt, { ...options, stop: "a" });
    const after = await run(prompt, options);
    expect(after.ids).toEqual(fresh.ids);
    expect(after.finish.cachedTokens).toBe(prompt.length - 1);
  });

  test("abort ends an answer at once, before, during prefill and between tokens", async () => {
    expect((await run("Once", { signal: AbortSignal.abort() })).finish.reason).toBe("abort");
    const controller = new AbortController();
    const seen: Chunk[] = [];
    for await (const chunk of model.generate("Once upon a time", {
      temperature: 0,
      signal: controller.signal,
      maxTokens: 400,
      ignoreEos: true,
    })) {
      seen.push(chunk);
      if (seen.length === 3) controller.abort();
    }
    expect(seen.at(-1)?.finish?.reason).toBe("abort");
    expect(seen.length).toBeLessThan(6);
    expect((await run("Once upon a time", { maxTokens: 3 })).ids).toEqual(
      seen.slice(0, 3).flatMap(({ ids }) => ids),
    );
  });

  test("break frees the model", async () => {
    for await (const _ of model.generate("Once", { temperature: 0, maxTokens: 100 })) break;
    expect((await run("Once", { maxTokens: 2 })).ids.length).toBe(2);
  });

  test("two answers at once wait for each other", async () => {
    const alone = [(await run("Once", { maxTokens: 6 })).ids, (await run("The cat", { maxTokens: 6 })).ids];
    const together = await Promise.all([run("Once", { maxTokens: 6 }), run("The cat", { maxTokens: 6 })]);
    expect(together.map(({ ids }) => ids)).toEqual(alone);
  });

  test("the same seed gives the same answer, another seed a different one", async () => {
    const options = { maxTokens: 30, temperature: 1, topP: 0.95, ignoreEos: true };
    const [a, b, c] = [
      await run("Once", { ...options, seed: 7 }),
      await run("Once", { ...options, seed: 7 }),
      await run("Once", { ...options, seed: 8 }),
    ];
    expect(a.ids).toEqual(b.ids);
    expect(a.ids).not.toEqual(c.ids);
  });

  test("without options an answer has temperature 0.7 and top-p 0.95", async () => {
    const options = { maxTokens: 30, ignoreEos: true, seed: 7 };
    const { ids } = await run("Once", { ...options, temperature: 0.7, topP: 0.95 });
    for (const silent of [{}, { temperature: undefined, topP: undefined }]) {
      const answer: number[] = [];
      for await (const chunk of model.generate("Once", { ...options, ...(silent as object) }))
        answer.push(...chunk.ids);
      expect(answer).toEqual(ids);
    }
    for (const other of [{ temperature: 0 }, { temperature: 1, topP: 0.95 }, { temperature: 0.7, topP: 1 }])
      expect((await run("Once", { ...options, ...other })).ids).not.toEqual(ids);
  });

  test("options out of range are named", async () => {
    const bad: [GenerateOptions, RegExp][] = [
      [{ temperature: -1 }, /temperature: expected .* got -1/],
      [{ topP: 2 }, /topP: expected .* got 2/],
      [{ maxTokens: 1.5 }, /maxTokens: expected .* got 1.5/],
      [{ stop: "" }, /stop: expected/],
      [{ logitBias: { 99999: 1 } }, /logitBias: expected token ids/],
    ];
    for (const [options, message] of bad) await expect(run("Once", options)).rejects.toThrow(message);
    await expect(run([])).rejects.toThrow(/at least one token/);
    await expect(run([2048])).rejects.toThrow(/expected token ids from 0 to 2047, got 2048/);
  });
});

describe("chat", () => {
  test("the second turn reuses the first one's cache", async () => {
    const ask = async (messages: Parameters<Model["chat"]>[0]) => {
      let text = "";
      let cached = -1;
      for await (const chunk of model.chat(messages, { temperature: 0, maxTokens: 20 })) {
        text += chunk.text;
        cached = chunk.finish?.cachedTokens ?? cached;
      }
      return { text, cached };
    };
    const first = [{ role: "user", content: "Tell me a story about a cat and a red ball." }] as const;
    const { text } = await ask(first);
    expect(text.startsWith(" ")).toBe(false);
    const second = await ask([
      ...first,
      { role: "assistant", content: text },
      { role: "user", content: "Go on." },
    ]);
    expect(second.cached).toBeGreaterThan(10);
  });
});

describe("limits", () => {
  test("a context without a rolling window is a limit with a clear error", async () => {
    const small = await loadModel(undefined, { contextLength: 16 });
    const answer: number[] = [];
    let reason: string | undefined;
    for await (const chunk of small.generate(await small.encode("Once upon a time"), {
      temperature: 0,
      maxTokens: 100,
      ignoreEos: true,
    })) {
      answer.push(...chunk.ids);
      reason = chunk.finish?.reason ?? reason;
    }
    expect([answer.length, reason]).toEqual([16 - 5 + 1, "length"]);
    const long = Array.from({ length: 17 }, () => 5);
    await expect(small.logits(long)).rejects.toThrow(ContextLengthError);
    await expect(small.generate(long).next()).rejects.toThrow(
      /expected at most 16 tokens, got 17.*contextLength/,
    );
    small.dispose();
  });
});

describe("topLogProbs", () => {
  test("each token's log-probability equals score's, also for other temperatures", async () => {
    const prompt = await model.encode("Once upon a time");
    for (const options of [{}, { temperature: 1, seed: 3, frequencyPenalty: 0.5 }]) {
      const plain = await run(prompt, { maxTokens: 12, ignoreEos: true, ...options });
      const { chunks, ids } = await run(prompt, {
        maxTokens: 12,
        ignoreEos: true,
        topLogProbs: 3,
        ...options,
      });
      expect(ids).toEqual(plain.ids);
      const given = chunks.flatMap(({ logProbs }) => logProbs ?? []);
      expect(given.map(({ id }) => id)).toEqual(ids);
      const { logProbs } = await model.score([...prompt, ...ids]);
      given.forEach(({ logProb, top }, i) => {
        expect(logProb).toBeCloseTo(logProbs[prompt.length - 1 + i]!, 3);
        expect(top.length).toBe(3);
        expect(top[0]!.logProb).toBeGreaterThanOrEqual(logProb);
        expect(top.map((each) => each.logProb)).toEqual(
          top.map((each) => each.logProb).sort((a, b) => b - a),
        );
      });
      expect(given.map(({ text }) => text).join("")).toBe(plain.text);
    }
    expect(plainHasNone(await run(prompt, { maxTokens: 2 }))).toBe(true);
    await expect(run(prompt, { topLogProbs: 21 })).rejects.toThrow(
      /topLogProbs: expected .* 0 to 20, got 21/,
    );
  });

  const plainHasNone = ({ chunks }: { chunks: Chunk[] }) => chunks.every((chunk) => !("logProbs" in chunk));
});
