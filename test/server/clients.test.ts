// Real clients against a server with the embedded model.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";
import { EventSource } from "eventsource";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadModel, type Model } from "../../engine/node.ts";
import { createService, type Listening, listen, type Service } from "../../server/index.ts";
import { until } from "./serving.ts";

const KEY = "test-key-1";
const MESSAGES = [{ role: "user", content: "Tell me a story about a dog." }] as const;
/** Few, as SwiftShader is slow for each. */
const COUNT = 6;
const GREEDY = { model: "tiny-mistral", messages: [...MESSAGES], temperature: 0, max_tokens: COUNT };
const PROMPT = "Once upon a time";

let model: Model;
let service: Service;
let server: Listening;
let client: OpenAI;

beforeAll(async () => {
  model = await loadModel();
  service = createService(model, { name: "tiny-mistral", keys: [KEY], parallel: 4 });
  server = await listen(service, { host: "127.0.0.1", port: 0 });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: KEY, maxRetries: 0 });
});
afterAll(async () => {
  await server.close({ drainMs: 0 });
  model.dispose();
});

/** The model's answer without the server. */
async function alone(text: string | undefined, maxTokens: number): Promise<string> {
  const chunks =
    text === undefined
      ? model.chat(MESSAGES, { temperature: 0, maxTokens })
      : model.generate(text, { temperature: 0, maxTokens });
  let answer = "";
  for await (const chunk of chunks) answer += chunk.text;
  return answer;
}

describe("openai", () => {
  test("chat, whole and streamed, with usage", async () => {
    const text = await alone(undefined, COUNT);
    const whole = await client.chat.completions.create(GREEDY);
    expect(whole.choices[0]).toMatchObject({
      message: { role: "assistant", content: text },
      finish_reason: "length",
    });
    expect(whole.usage).toMatchObject({ completion_tokens: COUNT });
    const stream = await client.chat.completions.create({
      ...{ ...GREEDY, stream: true as const, stream_options: { include_usage: true } },
    });
    let streamed = "";
    let last: OpenAI.ChatCompletionChunk | undefined;
    for await (const chunk of stream) {
      streamed += chunk.choices[0]?.delta.content ?? "";
      last = chunk;
    }
    expect(streamed).toBe(text);
    const { prompt_tokens, total_tokens } = whole.usage ?? {};
    expect(last?.usage).toMatchObject({ prompt_tokens, completion_tokens: COUNT, total_tokens });
  });

  test("moderations, of one text and of several", async () => {
    const { results, model: name } = await client.moderations.create({
      model: "tiny-mistral",
      input: ["How do I bake bread?", "Once upon a time"],
    });
    expect(name).toBe("tiny-mistral");
    const verdicts = await Promise.all(
      ["How do I bake bread?", "Once upon a time"].map((text) => model.moderate(text)),
    );
    for (const [i, { flagged, categories, category_scores }] of results.entries()) {
      const { scores, ...verdict } = verdicts[i]!;
      expect({ flagged, categories }).toEqual({ flagged: verdict.flagged, categories: verdict.categories });
      for (const [category, score] of Object.entries(category_scores))
        expect(score).toBeCloseTo(scores[category as keyof typeof scores], 4);
    }
    const [only] = (await client.moderations.create({ input: "Hello" })).results;
    expect(Object.keys(only!.categories)).toHaveLength(3);
  });

  test("n answers with a seed equal those requested one by one; stop ends them", async () => {
    const ask = async (seed: number, n: number) => {
      const { choices } = await client.chat.completions.create({ ...GREEDY, temperature: 1, seed, n });
      return choices.map(({ message }) => message.content);
    };
    const both = await ask(7, 2);
    expect(both).toEqual([...(await ask(7, 1)), ...(await ask(8, 1))]);
    expect(both[0]).not.toBe(both[1]);
    const text = await alone(undefined, COUNT);
    const stop = text.slice(5, 9);
    const stopped = await client.chat.completions.create({ ...GREEDY, stop });
    expect(stopped.choices[0]).toMatchObject({
      message: { content: text.slice(0, text.indexOf(stop)) },
      finish_reason: "stop",
    });
  });

  test("log-probabilities of a chat", async () => {
    const { choices } = await client.chat.completions.create({ ...GREEDY, logprobs: true, top_logprobs: 3 });
    const tokens = choices[0]?.logprobs?.content ?? [];
    expect(tokens.length).toBe(COUNT);
    for (const { token, logprob, top_logprobs: top } of tokens) {
      expect(top.length).toBe(3);
      expect([top[0]?.token, top[0]?.logprob]).toEqual([token, logprob]);
    }
  });

  test("text completions: whole, streamed, echoed with log-probabilities that are the model's", async () => {
    const text = await alone(PROMPT, 8);
    const ask = { model: "tiny-mistral", prompt: PROMPT, temperature: 0, max_tokens: 8 };
    const whole = await client.completions.create({ ...ask, echo: true, logprobs: 1 });
    expect(whole.choices[0]?.text).toBe(PROMPT + text);
    let streamed = "";
    for await (const chunk of await client.completions.create({ ...ask, stream: true }))
      streamed += chunk.choices[0]?.text ?? "";
    expect(streamed).toBe(text);

    const { tokens = [], token_logprobs, top_logprobs, text_offset } = whole.choices[0]?.logprobs ?? {};
    const ids = await model.encode(PROMPT);
    expect(tokens.length).toBe(ids.length + 8);
    expect(tokens.slice(1).join("").trimStart()).toBe(PROMPT + text);
    // Each token's text is found at its offset.
    text_offset?.forEach((at, i) => {
      if (i > 1) expect((PROMPT + text).slice(at, at + (tokens[i]?.length ?? 0))).toBe(tokens[i]);
    });
    const { logProbs } = await model.score(ids);
    expect(token_logprobs?.[0]).toBeNull();
    logProbs.forEach((logProb, i) => {
      expect(token_logprobs?.[i + 1]).toBeCloseTo(logProb, 2);
    });
    // Greedy: each token of the answer is the likeliest.
    for (let i = ids.length; i < tokens.length; i++)
      expect(Object.keys(top_logprobs?.[i] ?? {})).toEqual([tokens[i]]);
    const plain = await client.completions.create({
      ...ask,
      prompt: ids,
      echo: true,
      logprobs: 0,
      max_tokens: 0,
    });
    expect(plain.choices[0]?.logprobs?.tokens).toEqual(tokens.slice(0, ids.length));
    plain.choices[0]?.logprobs?.token_logprobs?.forEach((logprob, i) => {
      if (i > 0) expect(logprob).toBeCloseTo(token_logprobs?.[i] ?? NaN, 2);
    });
  });

  test("an abort frees the model's place", async () => {
    const controller = new AbortController();
    const stream = await client.chat.completions.create(
      { ...GREEDY, max_tokens: 1500, stream: true as const, logit_bias: { 2: -100 } },
      { signal: controller.signal },
    );
    let chunks = 0;
    await (async () => {
      for await (const _ of stream) if (++chunks === 4) controller.abort();
    })().catch(() => {});
    await until(
      () => service.admission.running === 0 && service.lifecycles.size === 0,
      "the end of the answer",
    );
    expect(
      (await client.chat.completions.create({ ...GREEDY, max_tokens: 2 })).usage?.completion_tokens,
    ).toBe(2);
  });

  test("errors are the client's own classes", async () => {
    const wrong = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "wrong", maxRetries: 0 });
    await expect(wrong.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    const tools = [{ type: "function" as const, function: { name: "f", parameters: {} } }];
    await expect(client.chat.completions.create({ ...GREEDY, tools })).rejects.toMatchObject({
      ...{ status: 400, param: "tools", code: "unsupported_parameter" },
    });
    await expect(client.chat.completions.create({ ...GREEDY, max_tokens: 5000 })).rejects.toMatchObject({
      ...{ status: 400, code: "context_length_exceeded" },
    });
    await expect(client.embeddings.create({ model: "tiny-mistral", input: "a" })).rejects.toMatchObject({
      status: 501,
    });
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["tiny-mistral"]);
  });
});

describe("Vercel's AI SDK", () => {
  test("generates and streams", async () => {
    const provider = createOpenAICompatible({
      ...{ name: "sirocco", baseURL: `${server.url}/v1`, apiKey: KEY, includeUsage: true },
    });
    const options = {
      model: provider("tiny-mistral"),
      messages: [...MESSAGES],
      ...{ temperature: 0, maxOutputTokens: COUNT, maxRetries: 0 },
    };
    const text = await alone(undefined, COUNT);
    const whole = await generateText(options);
    expect([whole.text, whole.finishReason, whole.usage.outputTokens]).toEqual([text, "length", COUNT]);
    const result = streamText(options);
    let streamed = "";
    for await (const piece of result.textStream) streamed += piece;
    expect(streamed).toBe(text);
    expect((await result.usage).outputTokens).toBe(COUNT);
  });
});

describe("curl", async () => {
  const run = promisify(execFile);
  const there = await run("curl", ["--version"]).then(
    () => true,
    () => false,
  );
  const curl = async (path: string, body: object): Promise<string> => {
    const { stdout } = await run("curl", [
      ...["-sS", "-N", "--max-time", "60", `${server.url}${path}`, "-H", `Authorization: Bearer ${KEY}`],
      ...["-H", "Content-Type: application/json", "-d", JSON.stringify(body)],
    ]);
    return stdout;
  };

  test.skipIf(!there)("requests a chat and a completion, whole and as events", async () => {
    const { choices } = JSON.parse(await curl("/v1/chat/completions", GREEDY));
    expect(choices[0].message.content).toBe(await alone(undefined, COUNT));
    const events = await curl("/v1/completions", {
      prompt: PROMPT,
      temperature: 0,
      max_tokens: 6,
      stream: true,
    });
    const data = [...events.matchAll(/^data: (.*)$/gm)].map(([, each = ""]) => each);
    expect(data.pop()).toBe("[DONE]");
    expect(data.map((each) => JSON.parse(each).choices[0].text).join("")).toBe(await alone(PROMPT, 6));
  });
});

describe("EventSource", () => {
  test("reads the events of a request that its fetch posts", async () => {
    const source = new EventSource(`${server.url}/v1/chat/completions`, {
      fetch: (url, init) =>
        fetch(url, {
          ...init,
          method: "POST",
          headers: { ...init?.headers, Authorization: `Bearer ${KEY}`, "Content-Type": "application/json" },
          body: JSON.stringify({ ...GREEDY, stream: true }),
        }),
    });
    const text = await new Promise<string>((resolve, reject) => {
      let answer = "";
      source.onerror = ({ message }) => reject(new Error(message));
      source.onmessage = ({ data }: { data: string }) => {
        if (data === "[DONE]") resolve(answer);
        else answer += JSON.parse(data).choices[0].delta.content ?? "";
      };
    }).finally(() => source.close());
    expect(text).toBe(await alone(undefined, COUNT));
  });
});
