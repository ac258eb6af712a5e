// Workers AI's calls on the embedded model: `Ai` in process, `Ai` over HTTP, and `curl` as in
// Cloudflare's documentation.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GenerateOptions, loadModel, type Model } from "../../engine/node.ts";
import { Ai } from "../../engine/workers-ai.ts";
import { createService, type Listening, listen, type Service } from "../../server/index.ts";
import { bytesText } from "../bytes-text.ts";

const NAME = "@cf/mistral/mistral-7b-instruct-v0.1";
const PROMPT = "Tell me a story about a bird.";
const GREEDY = { temperature: 0, max_tokens: 6 } as const;

let model: Model;
let service: Service;
let server: Listening;
beforeAll(async () => {
  model = await loadModel();
  service = createService(model, { name: "tiny-mistral", keys: ["secret"] });
  server = await listen(service, { host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await server?.close({ drainMs: 0 });
  model?.dispose();
});

const direct = () => new Ai(model);
const overHttp = () => new Ai({ baseURL: `${server.url}/client/v4`, apiToken: "secret" });

/** The model's answer to a user message. */
async function chat(content: string, options: GenerateOptions = { temperature: 0, maxTokens: 6 }) {
  let response = "";
  for await (const { text, finish } of model.chat([{ role: "user", content }], {
    temperature: 0,
    ...options,
  })) {
    response += text;
    if (finish) {
      const { promptTokens: prompt_tokens, completionTokens: completion_tokens } = finish;
      const total_tokens = prompt_tokens + completion_tokens;
      return { response, usage: { prompt_tokens, completion_tokens, total_tokens } };
    }
  }
  throw new Error("the answer has no end");
}

/** The text of a stream's events, whose last two are the usage and the end. */
function read(events: string) {
  const data = events.split("\n\n").map((event) => event.replace(/^data: /, ""));
  expect(data.splice(-2)).toEqual(["[DONE]", ""]);
  const pieces = data.map((text) => JSON.parse(text));
  return { response: pieces.map(({ response }) => response).join(""), usage: pieces.at(-1).usage };
}

async function curl(body: object, ...more: string[]): Promise<string> {
  const url = `${server.url}/client/v4/accounts/0123abcd/ai/run/${NAME}`;
  const call = [url, "-X", "POST", "-H", "Authorization: Bearer secret", "-d", JSON.stringify(body)];
  return (await promisify(execFile)("curl", ["--silent", "--show-error", ...call, ...more])).stdout;
}

describe.each([
  ["on the model", direct],
  ["over HTTP", overHttp],
])("Ai %s", (_, newAi) => {
  test("a prompt gives chat's answer, whole and streamed", async () => {
    const expected = await chat(PROMPT);
    const ai = newAi();
    expect(await ai.run(NAME, { prompt: PROMPT, ...GREEDY })).toEqual(expected);
    const stream = await ai.run(NAME, { prompt: PROMPT, ...GREEDY, stream: true });
    expect(read(await bytesText(stream))).toEqual(expected);
  });

  test("a raw prompt is continued, and its control tokens are parsed", async () => {
    const { response, usage } = await newAi().run(NAME, { prompt: "<s>Once upon", raw: true, ...GREEDY });
    let text = "";
    for await (const chunk of model.generate("<s>Once upon", { temperature: 0, maxTokens: 6 }))
      text += chunk.text;
    expect(response).toBe(text);
    expect(usage.prompt_tokens).toBe((await model.encode("Once upon")).length);
  });

  test("the same seed gives the same answer, another seed a different one", async () => {
    const input = { prompt: PROMPT, max_tokens: 6, temperature: 5, top_k: 50 };
    const answer = (seed: number) => newAi().run(NAME, { ...input, seed });
    const options = { maxTokens: 6, temperature: 5, topK: 50 };
    expect(await answer(9_999_999_999)).toEqual(await chat(PROMPT, { ...options, seed: 9_999_999_999 }));
    expect((await answer(2)).response).not.toBe((await answer(9_999_999_999)).response);
  });

  test("a reader that cancels ends the answer", async () => {
    const stream = await newAi().run(NAME, { prompt: PROMPT, max_tokens: 256, stream: true });
    const reader = stream.getReader();
    await reader.read();
    await reader.cancel();
    await expect.poll(() => service.admission.running).toBe(0);
    expect((await newAi().run(NAME, { prompt: PROMPT, ...GREEDY })).usage.completion_tokens).toBe(6);
  });
});

test("curl: an answer", async () => {
  const messages = [{ role: "user", content: PROMPT }];
  expect(JSON.parse(await curl({ messages, ...GREEDY }))).toEqual({
    ...{ result: await chat(PROMPT), success: true },
    ...{ errors: [], messages: [] },
  });
});

test("curl: a stream", async () => {
  const messages = [{ role: "user", content: PROMPT }];
  const text = await curl({ messages, ...GREEDY, stream: true }, "--include", "--no-buffer");
  const [head, ...events] = text.split("\r\n\r\n");
  expect(head).toMatch(/^HTTP\/1.1 200 [\s\S]*content-type: text\/event-stream/i);
  expect(read(events.join("\r\n\r\n"))).toEqual(await chat(PROMPT));
});

test("curl: a refusal", async () => {
  const status = ["--write-out", "\n%{http_code}"];
  const [body, code] = (await curl({ prompt: PROMPT, top_k: 51 }, ...status)).split("\n");
  expect(code).toBe("400");
  expect(JSON.parse(body ?? "")).toMatchObject({ result: null, success: false, errors: [{ code: 5006 }] });
});
