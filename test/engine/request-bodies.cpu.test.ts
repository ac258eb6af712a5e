// Bodies as real clients send them: fields that ask for nothing are accepted, unsupported fields are refused
// by name.
import { describe, expect, test } from "vitest";
import { openai } from "../../engine/apis/openai/completions.ts";
import { readRequest } from "../../engine/apis/openai/request.ts";
import { AiError } from "../../engine/apis/workers-ai/error.ts";
import { readInput } from "../../engine/apis/workers-ai/input.ts";
import { isParameterError } from "../../engine/options/parameter.ts";
import { readCompletion } from "../../server/routes/completion-request.ts";

const USER = { role: "user", content: "Hello" };
const LAST = { role: "assistant", content: "Once upon" };
const TOOL = { type: "function", function: { name: "f" } };
const chat = (body: object) => readRequest({ messages: [USER], ...body } as never);
const text = (body: object) => readCompletion({ prompt: "Hello", ...body });
const ai = (body: object) => readInput({ prompt: "Hello", ...body });

/** Accepted in all three dialects, without any effect. */
const NOTHING: Record<string, unknown>[] = [
  { store: false },
  { metadata: {} },
  { metadata: { run: "7" } },
  { parallel_tool_calls: false },
  { parallel_tool_calls: true },
  { tool_choice: "none" },
  { tools: [] },
  { tools: null },
  { functions: [] },
  { function_call: "none" },
  { modalities: ["text"] },
  { service_tier: "auto" },
  { service_tier: "default" },
  { best_of: 1 },
  { top_logprobs: 0 },
  { echo: false },
  { suffix: "" },
  { suffix: null },
  { prompt_cache_key: "a" },
  { prompt_cache_retention: "24h" },
  { safety_identifier: "u" },
  { user: "u" },
  { user: "" },
  { chat_template_kwargs: {} },
  { response_format: { type: "text" } },
  { response_format: null },
  { reasoning_effort: null },
  { verbosity: "medium" },
  { audio: null },
  { prediction: null },
  { seed: -1 },
  { max_tokens: -1 },
  { top_k: -1 },
  { seed: null },
  { top_p: null },
  // vLLM
  { use_beam_search: false },
  { skip_special_tokens: true },
  { spaces_between_special_tokens: true },
  { include_stop_str_in_output: false },
  { ignore_eos: false },
  { min_tokens: 0 },
  { length_penalty: 1 },
  { stop_token_ids: [] },
  { guided_json: null },
  { priority: 0 },
  { prompt_logprobs: null },
  { request_id: "r" },
  // llama.cpp, Ollama, OpenRouter
  { cache_prompt: true },
  { repeat_penalty: 1, repeat_last_n: 64 },
  { typical_p: 1, tfs_z: 1 },
  { mirostat: 0, mirostat_tau: 5, mirostat_eta: 0.1 },
  { dry_multiplier: 0, dry_base: 1.75, dry_allowed_length: 2, dry_penalty_last_n: -1 },
  { xtc_probability: 0, xtc_threshold: 0.1 },
  { grammar: "", n_probs: 0, min_keep: 0, id_slot: -1 },
  { keep_alive: "5m" },
  { provider: {}, transforms: [] },
];

/** Fields of chat only. */
const CHATS: Record<string, unknown>[] = [
  { logprobs: false, top_logprobs: 0 },
  { max_completion_tokens: -1 },
  { max_tokens: null, max_completion_tokens: 5 },
  { stream_options: { include_usage: false } },
  { stream_options: {} },
  { stream_options: null },
  { stream: true, stream_options: { include_usage: true, include_obfuscation: false } },
  { stop: [] },
  { stop: "" },
  { logit_bias: {} },
  { n: 1, temperature: 1, top_p: 1, presence_penalty: 0, frequency_penalty: 0 },
  { model: "" },
  { add_generation_prompt: true },
  { continue_final_message: false },
  { safe_prompt: false },
  // Messages.
  { messages: [{ ...USER, name: "Ada" }] },
  { messages: [{ role: "system", content: "A" }, { role: "system", content: "B" }, USER] },
  { messages: [{ role: "developer", content: "A" }, USER, USER] },
  { messages: [USER, { role: "assistant", content: null }, USER] },
  { messages: [USER, { role: "assistant" }, USER] },
  { messages: [USER, { role: "assistant", content: "", tool_calls: [], refusal: null }, USER] },
  { messages: [USER, { ...LAST, audio: null, annotations: [], function_call: null }, USER] },
  { messages: [USER, { ...LAST, reasoning_content: "" }, USER] },
  { messages: [USER, { ...LAST, reasoning_content: "so" }, USER] },
  { messages: [USER, { ...LAST, prefix: false }, USER] },
  {
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "A" },
          { type: "text", text: "B" },
        ],
      },
    ],
  },
  { messages: [{ role: "user", content: [{ type: "text", text: "A", cache_control: { type: "x" } }] }] },
];

const REFUSED: [body: Record<string, unknown>, parameter: string][] = [
  [{ store: true }, "store"],
  [{ tool_choice: "required" }, "tool_choice"],
  [{ tool_choice: { type: "function" } }, "tool_choice"],
  [{ functions: [{ name: "f" }] }, "functions"],
  [{ function_call: { name: "f" } }, "function_call"],
  [{ modalities: ["text", "audio"] }, "modalities"],
  [{ audio: { voice: "alloy" } }, "audio"],
  [{ service_tier: "priority" }, "service_tier"],
  [{ suffix: "x" }, "suffix"],
  [{ chat_template_kwargs: { enable_thinking: true } }, "chat_template_kwargs"],
  [{ chat_template: "{{ x }}" }, "chat_template"],
  [{ response_format: { type: "structural_tag" } }, "response_format.type"],
  [{ reasoning_effort: "low" }, "reasoning_effort"],
  [{ verbosity: "high" }, "verbosity"],
  [{ web_search_options: {} }, "web_search_options"],
  [{ use_beam_search: true }, "use_beam_search"],
  [{ skip_special_tokens: false }, "skip_special_tokens"],
  [{ include_stop_str_in_output: true }, "include_stop_str_in_output"],
  [{ ignore_eos: true }, "ignore_eos"],
  [{ min_tokens: 5 }, "min_tokens"],
  [{ length_penalty: 2 }, "length_penalty"],
  [{ stop_token_ids: [2] }, "stop_token_ids"],
  [{ guided_whitespace_pattern: " " }, "guided_whitespace_pattern"],
  [{ repeat_penalty: 1.1 }, "repeat_penalty"],
  [{ typical_p: 0.9 }, "typical_p"],
  [{ mirostat: 2 }, "mirostat"],
  [{ dry_multiplier: 0.8 }, "dry_multiplier"],
  [{ n_predict: 5 }, "n_predict"],
  [{ options: { num_ctx: 5 } }, "options"],
  [{ input: "Hi" }, "input"],
  [{ max_tokenz: 3 }, "max_tokenz"],
  [{ maxTokens: 3 }, "maxTokens"],
  [{ temperature: 9 }, "temperature"],
  [{ temperature: "hot" }, "temperature"],
  [{ top_p: -1 }, "top_p"],
  [{ seed: -2 }, "seed"],
  [{ seed: 1.5 }, "seed"],
  [{ max_tokens: -2 }, "max_tokens"],
  [{ max_tokens: "5" }, "max_tokens"],
  [{ constructor: 1 }, "constructor"],
  [{ toString: "x" }, "toString"],
  [JSON.parse('{ "__proto__": { "a": 1 } }'), "__proto__"],
];

const REFUSED_CHATS: [body: Record<string, unknown>, parameter: string][] = [
  [{ n: 0 }, "n"],
  [{ n: 129 }, "n"],
  [{ top_logprobs: 2 }, "top_logprobs"],
  [{ logprobs: true, top_logprobs: 21 }, "top_logprobs"],
  [{ max_tokens: 1, max_completion_tokens: 1 }, "max_tokens"],
  [{ stream_options: { include_usage: true } }, "stream_options"],
  [
    { stream: true, stream_options: { continuous_usage_stats: true } },
    "stream_options.continuous_usage_stats",
  ],
  [{ stream: true, stream_options: JSON.parse('{ "__proto__": 1 }') }, "stream_options.__proto__"],
  [{ stop: [""] }, "stop[0]"],
  [{ logit_bias: { cat: 1 } }, "logit_bias.cat"],
  [{ logit_bias: { 5: 101 } }, "logit_bias.5"],
  [{ logit_bias: JSON.parse('{ "__proto__": 1 }') }, "logit_bias.__proto__"],
  [{ messages: [] }, "messages"],
  [{ messages: "Hi" }, "messages"],
  [{ messages: [{ role: "tool", content: "x" }] }, "messages[0].tool_call_id"],
  [{ messages: [{ role: "toString", content: "x" }] }, "messages[0].role"],
  [{ messages: [{ role: "user", content: null }] }, "messages[0].content"],
  [{ messages: [{ role: "user" }] }, "messages[0].content"],
  [{ messages: [{ role: "user", content: [{ type: "image_url" }] }] }, "messages[0].content[0]"],
  [{ messages: [{ ...LAST, tool_calls: [{}] }, USER] }, "messages[0].tool_calls[0].name"],
  ...[
    [{ function: null, type: "function" }, "function"],
    [{ type: "custom", name: "f", arguments: "{}" }, "type"],
    [{ function: { name: "f", arguments: "{bad" } }, "function.arguments"],
    [{ function: { name: "f", arguments: "5" } }, "function.arguments"],
  ].map(
    ([call, field]) =>
      [{ messages: [{ ...LAST, tool_calls: [call] }, USER] }, `messages[0].tool_calls[0].${field}`] as [
        Record<string, unknown>,
        string,
      ],
  ),
  [{ response_format: { type: "json_object", schema: 3 } }, "response_format.schema"],
  [{ tools: [TOOL], response_format: { type: "json_object" } }, "response_format"],
  [{ tools: [TOOL], guided_regex: "a" }, "guided_regex"],
  [{ tools: [TOOL], continue_final_message: true, messages: [USER, LAST] }, "continue_final_message"],
  [{ tools: [TOOL], messages: [USER, { ...LAST, prefix: true }] }, "messages[1].prefix"],
  [{ messages: [{ ...USER, reasoning_content: "so" }] }, "messages[0].reasoning_content"],
  [{ messages: [{ ...LAST, reasoning_content: 1 }, USER] }, "messages[0].reasoning_content"],
  [{ messages: [{ ...USER, prefix: true }] }, "messages[0].prefix"],
  [
    { messages: [JSON.parse('{ "role": "user", "content": "x", "__proto__": null }')] },
    "messages[0].__proto__",
  ],
  [{ safe_prompt: "yes" }, "safe_prompt"],
  [{ continue_final_message: true }, "continue_final_message"],
  [
    { messages: [USER, LAST], continue_final_message: true, add_generation_prompt: true },
    "add_generation_prompt",
  ],
  [{ add_generation_prompt: false }, "add_generation_prompt"],
];

const parameterOf = (read: () => unknown) => {
  try {
    read();
  } catch (error) {
    const { message } = error as Error;
    expect(message.length, message).toBeLessThan(300);
    if (error instanceof AiError) return error.parameter;
    expect(isParameterError(error), message).toBe(true);
    return (error as { parameter: string }).parameter;
  }
  return "nothing was refused";
};

describe("fields that ask for nothing", () => {
  test.each(NOTHING)("%j, in each dialect", (body) => {
    expect(chat(body)).toEqual(chat({}));
    expect(text(body)).toEqual(text({}));
    expect(ai(body)).toEqual(ai({}));
  });

  test.each(CHATS)("%j", (body) => {
    expect(chat(body).messages.length).toBeGreaterThan(0);
  });

  test("an assistant message without content is an empty text", () => {
    const { messages } = chat({
      messages: [USER, { role: "assistant", content: null, tool_calls: [] }, USER],
    });
    expect(messages[1]).toEqual({ role: "assistant", content: "" });
  });
});

describe("unsupported fields", () => {
  test.each(REFUSED)("%j is refused by name in each dialect", (body, parameter) => {
    for (const read of [chat, text, ai]) expect(parameterOf(() => read(body))).toBe(parameter);
  });

  test.each(REFUSED_CHATS)("%j is refused by name", (body, parameter) => {
    expect(parameterOf(() => chat(body))).toBe(parameter);
  });

  test("error messages are short and in the engine's own words, whatever the input is", () => {
    expect(() => chat({ temperature: 3 })).toThrow("temperature: expected a number from 0 to 2, got 3.");
    expect(() => chat({ max_tokens: 0 })).toThrow(
      "max_tokens: expected a whole number of at least 1, got 0.",
    );
    expect(() => text({ logprobs: 6 })).toThrow("logprobs: expected a whole number from 0 to 5, got 6.");
    expect(parameterOf(() => chat({ ["x".repeat(5000)]: "y" }))).toMatch(/^x{60}$/);
    expect(parameterOf(() => chat({ logit_bias: { ["x".repeat(5000)]: 1 } }))).toMatch(/^logit_bias\.x{40}$/);
    expect(() => readRequest(undefined as never)).toThrow("params: expected an object, got nothing.");
  });
});

describe("an assistant's last message", () => {
  const messages = [USER, LAST];
  test.each([
    [{ messages, continue_final_message: true }],
    [{ messages, continue_final_message: true, add_generation_prompt: false }],
    [{ messages: [USER, { ...LAST, prefix: true }] }],
  ])("%j is continued", (body) => {
    expect(chat(body).options).toMatchObject({ continueFinalMessage: true });
  });

  test("is not continued unless asked for", () => {
    expect(chat({ messages }).options).not.toHaveProperty("continueFinalMessage");
  });

  test("changes to a conversation are reported in the answer, or on the last chunk", async () => {
    const finish = { reason: "stop", promptTokens: 1, cachedTokens: 0, completionTokens: 1 };
    const fake = (warnings?: string[]) =>
      openai({
        chat: async function* () {
          yield { text: "Hi", ids: [5] };
          yield { text: "", ids: [], finish: { ...finish, ...(warnings && { warnings }) } };
        },
      } as never).chat.completions;
    const params = { messages: [{ role: "user", content: "x" }], n: 2 } as const;
    expect(await fake(["w"]).create(params)).toMatchObject({ warnings: ["w"] });
    expect(await fake().create(params)).not.toHaveProperty("warnings");
    for (const include_usage of [true, false]) {
      const chunks: object[] = [];
      const stream = await fake(["w"]).create({ ...params, stream: true, stream_options: { include_usage } });
      for await (const chunk of stream) chunks.push(chunk);
      expect(chunks.filter((chunk) => "warnings" in chunk)).toEqual([chunks.at(-1)]);
    }
  });
});
