// Errors of the engine over HTTP: their codes in each API's shape.
import { expect, test } from "vitest";
import {
  ChatTemplateError,
  CheckpointError,
  ContextLengthError,
  DeviceError,
  DeviceLostError,
  TokenizerError,
} from "../../engine/node.ts";
import { outOfRange, unsupported, wrongType } from "../../engine/options/parameter.ts";
import { failAt, fakeModel } from "../fake-model.ts";
import { HELLO, serving } from "./serving.ts";

const WORKERS_AI = "/client/v4/accounts/a/ai/run/paper";

const cases: [error: Error, status: number, code: string | null, cloudflare: number][] = [
  [new ContextLengthError("too long"), 400, "context_length_exceeded", 5021],
  [new ChatTemplateError("none", { code: "no-chat-template" }), 400, "no_chat_template", 5006],
  [new ChatTemplateError("bad", { code: "bad-chat-template" }), 400, "bad_chat_template", 5006],
  [new ChatTemplateError("no", { code: "refused-messages" }), 400, "refused_messages", 5006],
  [new TokenizerError("bad"), 400, "bad_tokenizer", 5006],
  [wrongType("messages", "expected a list."), 400, "invalid_type", 5006],
  [outOfRange("max_tokens", "expected less."), 400, "invalid_value", 5006],
  [unsupported("tools", "tools: expected none."), 400, "unsupported_parameter", 5006],
  [new DeviceLostError("gone"), 503, "device_lost", 3040],
  [new DeviceLostError("gone", { code: "disposed" }), 503, "device_lost", 3040],
  [new DeviceError("full", { code: "out-of-memory" }), 500, "out_of_memory", 3043],
  [new CheckpointError("no tokenizer", { code: "not-found" }), 500, "not_found", 3043],
  [new Error("a bug"), 500, null, 3043],
];

test.each(cases)("%o", async (error, status, code, cloudflare) => {
  const { post } = await serving(fakeModel({ before: failAt(0, error) }).model);
  const openai = await post("/v1/chat/completions", HELLO);
  expect([openai.status, (await openai.json()).error.code]).toEqual([status, code]);
  const workersAi = await post(WORKERS_AI, HELLO);
  expect([workersAi.status, (await workersAi.json()).errors[0].code]).toEqual([status, cloudflare]);
});

const json = "application/json";
const bodies: [what: string, body: string | Uint8Array, code: string, headers?: Record<string, string>][] = [
  ["an empty body", "", "invalid_body"],
  ["a list", "[]", "invalid_body"],
  ["a number", "5", "invalid_body"],
  ["too deep", `{"a":${"[".repeat(1000)}${"]".repeat(1000)}}`, "invalid_body"],
  ["too many fields", `{"a":[${'{"b":1},'.repeat(2 ** 15)}1]}`, "invalid_body"],
  ["too many values", `{"a":[${"1,".repeat(2 ** 19)}1]}`, "invalid_body"],
  ["bytes that are not UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), "invalid_body"],
  ["UTF-16", Buffer.from("\ufeff{}", "utf16le"), "invalid_body"],
  ["a form", "prompt=Hi", "invalid_body", { "Content-Type": "application/x-www-form-urlencoded" }],
  ["HTML", "<html>", "invalid_body"],
  ["damaged gzip", "{}", "invalid_body", { "Content-Encoding": "gzip" }],
  ["a syntax error", '{"prompt"', "invalid_json"],
];

test.each(bodies)("a body: %s", async (_what, body, code, headers) => {
  const { post } = await serving(fakeModel().model);
  const answer = await post("/v1/completions", body, { headers: { "Content-Type": json, ...headers } });
  expect([answer.status, (await answer.json()).error]).toMatchObject([400, { code, param: null }]);
});

test("token ids that the model does not have, and a prompt without a token", async () => {
  const { post } = await serving({
    ...fakeModel().model,
    encode: async () => [],
    encodeChat: async () => [],
  });
  const requests: [path: string, body: object, param: string][] = [
    ["/v1/chat/completions", { ...HELLO, logit_bias: { [2 ** 16]: 1 } }, "logit_bias"],
    ["/v1/completions", { prompt: "a", logit_bias: { [2 ** 16]: 1 } }, "logit_bias"],
    ["/v1/completions", { prompt: "a" }, "prompt"],
    ["/v1/chat/completions", HELLO, "messages"],
  ];
  for (const [path, body, param] of requests) {
    const answer = await post(path, body);
    expect([answer.status, (await answer.json()).error]).toMatchObject([
      400,
      { code: "invalid_value", param },
    ]);
  }
});

test("a path that this server does not implement", async () => {
  const { post } = await serving(fakeModel().model);
  const answer = await post("/v1/embeddings", { input: "a" });
  expect([answer.status, (await answer.json()).error.code]).toEqual([501, "not_implemented"]);
});
