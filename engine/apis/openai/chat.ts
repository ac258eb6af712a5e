// A chat completion in OpenAI's shapes, whole or as a stream, from `Model.chat`.
import type { ChatOptions, Chunk, Finish, LikelyToken, TokenLogProb, ToolCall } from "../../api.ts";
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionLogprobs,
  ChatCompletionTokenTopLogprob,
  CompletionUsage,
} from "../../types/openai.ts";
import { addCalls } from "../added-calls.ts";
import { merge } from "../merge.ts";
import type { ChatRequest } from "./request.ts";
import { callDelta, wholeCall } from "./tool-calls.ts";

/** Starts an answer to the request's conversation. */
export type StartChat = (options: ChatOptions) => AsyncGenerator<Chunk, void, void>;

export async function completeChat(
  start: StartChat,
  request: ChatRequest,
  signal: AbortSignal | undefined,
): Promise<ChatCompletion> {
  const drafts = Array.from({ length: request.answers }, () => ({
    content: "",
    reasoning: "",
    calls: [] as ToolCall[],
    tokens: [] as TokenLogProb[],
    finish: undefined as Finish | undefined,
  }));
  for await (const { index, chunk } of answers(start, request, signal)) {
    const draft = drafts[index]!;
    draft.content += chunk.text;
    draft.reasoning += chunk.reasoning ?? "";
    draft.tokens.push(...(chunk.logProbs ?? []));
    addCalls(draft.calls, chunk.toolCalls);
    draft.finish = chunk.finish;
  }
  const choices = drafts.map(({ content, reasoning, calls, tokens, finish }, index) => ({
    index,
    message: {
      ...{ role: "assistant" as const, content: content === "" && calls.length > 0 ? null : content },
      refusal: null,
      ...(calls.length > 0 && { tool_calls: calls.map(wholeCall) }),
      ...(reasoning !== "" && { reasoning_content: reasoning }),
    },
    logprobs: request.options.topLogProbs === undefined ? null : logprobs(tokens),
    finish_reason: reason(finish, request),
  }));
  const finishes = drafts.flatMap(({ finish }) => finish ?? []);
  return {
    ...heading(request),
    object: "chat.completion",
    choices,
    usage: usage(finishes),
    ...warningsOf(finishes),
  };
}

export async function* streamChat(
  start: StartChat,
  request: ChatRequest,
  signal: AbortSignal | undefined,
): AsyncGenerator<ChatCompletionChunk, void, void> {
  const head = heading(request);
  const chunk = (choices: ChatCompletionChunk["choices"]): ChatCompletionChunk => ({
    ...head,
    object: "chat.completion.chunk",
    choices,
    ...(request.includeUsage && { usage: null }),
  });
  const none = { logprobs: null, finish_reason: null };
  const content = request.options.tools ? null : "";
  for (let index = 0; index < request.answers; index++)
    yield chunk([{ ...none, index, delta: { role: "assistant", content } }]);
  const finishes: Finish[] = [];
  for await (const { index, chunk: piece } of answers(start, request, signal)) {
    const { text, reasoning, logProbs, toolCalls, finish } = piece;
    if (reasoning) yield chunk([{ ...none, index, delta: { reasoning_content: reasoning } }]);
    if (text !== "" || logProbs) {
      const delta = { content: text };
      yield chunk([{ ...none, index, delta, logprobs: logProbs ? logprobs(logProbs) : null }]);
    }
    for (const call of toolCalls ?? [])
      yield chunk([{ ...none, index, delta: { tool_calls: [callDelta(call)] } }]);
    if (!finish) continue;
    finishes.push(finish);
    const last = finishes.length === request.answers;
    const warnings = last && !request.includeUsage ? warningsOf(finishes) : {};
    yield { ...chunk([{ ...none, index, delta: {}, finish_reason: reason(finish, request) }]), ...warnings };
  }
  if (request.includeUsage) yield { ...chunk([]), usage: usage(finishes), ...warningsOf(finishes) };
}

/** The pieces of all answers, in order of arrival. */
const answers = (start: StartChat, request: ChatRequest, signal: AbortSignal | undefined) =>
  merge(Array.from({ length: request.answers }, (_, index) => answer(start, request, index, signal)));

/** @throws the signal's reason: a completion has no finish reason for an abort */
async function* answer(
  start: StartChat,
  { options, seed }: ChatRequest,
  index: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ readonly index: number; readonly chunk: Chunk }, void, void> {
  const own = { ...(seed !== undefined && { seed: seed + index }), ...(signal && { signal }) };
  for await (const chunk of start({ ...options, ...own })) {
    if (chunk.finish?.reason === "abort") signal?.throwIfAborted();
    yield { index, chunk };
  }
}

const heading = ({ model = "sirocco" }: ChatRequest) => ({
  id: `chatcmpl-${crypto.randomUUID().replaceAll("-", "")}`,
  created: Math.floor(Date.now() / 1000),
  model,
});

/** OpenAI says "stop" where the request names the tool. */
function reason(
  finish: Finish | undefined,
  { options }: ChatRequest,
): "stop" | "length" | "tool_calls" | "content_filter" {
  if (finish?.reason === "tool-calls") return typeof options.toolChoice === "object" ? "stop" : "tool_calls";
  if (finish?.reason === "content-filter") return "content_filter";
  return finish?.reason === "length" ? "length" : "stop";
}

/** The warnings of all answers, each once: those of the prompt are in all. */
function warningsOf(finishes: readonly Finish[]): { warnings?: string[] } {
  const warnings = [...new Set(finishes.flatMap((finish) => finish.warnings ?? []))];
  return warnings.length > 0 ? { warnings } : {};
}

/** The tokens of all answers, and once those of the prompt. */
function usage(finishes: readonly Finish[]): CompletionUsage {
  const prompt = finishes[0]?.promptTokens ?? 0;
  const completion = finishes.reduce((sum, { completionTokens }) => sum + completionTokens, 0);
  const reasoning = finishes.reduce((sum, { reasoningTokens = 0 }) => sum + reasoningTokens, 0);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: Math.min(...finishes.map(({ cachedTokens }) => cachedTokens)) },
    ...(reasoning > 0 && { completion_tokens_details: { reasoning_tokens: reasoning } }),
  };
}

const logprobs = (tokens: readonly TokenLogProb[]): ChatCompletionLogprobs => ({
  content: tokens.map((token) => ({ ...entry(token), top_logprobs: token.top.map(entry) })),
  refusal: null,
});

const entry = ({ text, bytes, logProb }: LikelyToken): ChatCompletionTokenTopLogprob => ({
  token: text,
  bytes: [...bytes],
  logprob: logProb,
});
