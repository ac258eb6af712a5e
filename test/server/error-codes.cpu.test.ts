// The code of an error on its way to a client: an error of the engine, over HTTP, in each API's shape.
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
