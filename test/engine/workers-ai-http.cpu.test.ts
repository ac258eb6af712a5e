// `Ai` over HTTP: its requests, and how it reads answers of Workers AI and of other servers.
import { expect, test } from "vitest";
import { Ai, AiError } from "../../engine/workers-ai.ts";
import { bytesText } from "../bytes-text.ts";

const MODEL = "@cf/mistral/mistral-7b-instruct-v0.1";
const RESULT = { response: "A breeze.", usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } };

/** An `Ai` on a server that gives one answer, and the requests it got. */
function answering(answer: () => Response, baseURL = "https://api.cloudflare.com/client/v4") {
  const sent: Request[] = [];
  const ai = new Ai({
    baseURL,
    accountId: "0123abcd",
    apiToken: "secret",
    fetch: async (input, init) => {
      sent.push(new Request(input, init));
      return answer();
    },
  });
  return { ai, sent };
}

const json =
  (value: unknown, status = 200) =>
  () =>
    Response.json(value, { status });

test("the call is the one of Cloudflare's REST API", async () => {
  for (const baseURL of ["http://127.0.0.1:8000/client/v4", "http://127.0.0.1:8000/client/v4/"]) {
    const { ai, sent } = answering(
      json({ result: RESULT, success: true, errors: [], messages: [] }),
      baseURL,
    );
    const input = { prompt: "Name a wind.", max_tokens: 5 };
    expect(await ai.run(MODEL, input)).toEqual(RESULT);
    const [request] = sent;
    expect([request?.method, request?.url]).toEqual([
      "POST",
      `http://127.0.0.1:8000/client/v4/accounts/0123abcd/ai/run/${MODEL}`,
    ]);
    expect(request?.headers.get("Authorization")).toBe("Bearer secret");
    expect(await request?.json()).toEqual(input);
  }
});

test("a stream is the body, byte for byte", async () => {
  const events = 'data: {"response":"A"}\n\ndata: [DONE]\n\n';
  const headers = { "Content-Type": "text/event-stream; charset=utf-8" };
  const { ai } = answering(() => new Response(events, { headers }));
  expect(await bytesText(await ai.run(MODEL, { prompt: "Hi", stream: true }))).toBe(events);
});

test("an error of Workers AI keeps its code, status and message", async () => {
  const errors = [{ code: 10000, message: "Authentication error" }];
  const { ai } = answering(json({ result: null, success: false, errors, messages: [] }, 401));
  for (const stream of [false, true]) {
    const error = await ai.run(MODEL, { prompt: "Hi", stream }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AiError);
    expect(error).toMatchObject({
      ...{ name: "AiError", code: 10000, status: 401 },
      ...{ message: "10000: Authentication error", description: "Authentication error" },
    });
  }
});

test.each([
  ["a proxy's page", () => new Response("<h1>Bad Gateway</h1>", { status: 502 }), /got status 502: <h1>Bad/],
  ["no JSON", () => new Response("hello"), /got status 200: hello/],
  ["other JSON", json([1]), /got status 200: \[1\]/],
  ["nothing", json(null), /got status 200: null/],
  ["no success", json({ result: RESULT, success: false }), /got status 200/],
])("%s is reported as received", async (_, answer, message) => {
  await expect(answering(answer).ai.run(MODEL, { prompt: "Hi" })).rejects.toThrow(message);
});

test("a model's name cannot escape its path", async () => {
  const { ai, sent } = answering(json({}));
  for (const name of ["", "../../../user/tokens", "@cf/../x", "a?b", "a#b", "a//b", "/a", "a/."]) {
    await expect(ai.run(name, { prompt: "Hi" })).rejects.toMatchObject({ code: 3042, status: 404 });
  }
  expect(sent).toEqual([]);
});

test("a signal reaches the request", async () => {
  const signal = AbortSignal.abort(new Error("no longer needed"));
  const { ai } = answering(json({}));
  await expect(ai.run(MODEL, { prompt: "Hi" }, { signal })).rejects.toThrow();
  const { ai: other, sent } = answering(json({ result: RESULT, success: true }));
  await other.run(MODEL, { prompt: "Hi" }, { signal: new AbortController().signal });
  expect(sent[0]?.signal.aborted).toBe(false);
});
