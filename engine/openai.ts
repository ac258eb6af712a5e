// OpenAI's chat completions on a loaded model, wherever it runs: this knows `Model.chat` and nothing below it.
import type { Chunk, Finish, LikelyToken, Model, TokenLogProb } from "./api.ts";
import { type ChatRequest, readRequest } from "./openai-request.ts";
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionCreateParams,
  ChatCompletionLogprobs,
  ChatCompletionOptions,
  ChatCompletions,
  ChatCompletionTokenTopLogprob,
  CompletionUsage,
  OpenAIShape,
} from "./openai-types.ts";

type Chat = Pick<Model, "chat">;

export function openai(model: Chat): OpenAIShape {
  const create = async (params: ChatCompletionCreateParams, options: ChatCompletionOptions = {}) => {
    const request = readRequest(params);
    const signal = options.signal ?? undefined;
    return request.stream ? streamChat(model, request, signal) : completeChat(model, request, signal);
  };
  return { chat: { completions: { create: create as ChatCompletions["create"] } } };
}

export async function completeChat(
  model: Chat,
  request: ChatRequest,
  signal: AbortSignal | undefined,
): Promise<ChatCompletion> {
  const choices: ChatCompletion["choices"] = [];
  const finishes: Finish[] = [];
  for (let index = 0; index < request.answers; index++) {
    let content = "";
    const tokens: TokenLogProb[] = [];
    for await (const { text, logProbs, finish } of answer(model, request, index, signal)) {
      content += text;
      tokens.push(...(logProbs ?? []));
      if (finish) finishes.push(finish);
    }
    choices.push({
      index,
      message: { role: "assistant", content, refusal: null },
      logprobs: request.options.topLogProbs === undefined ? null : logprobs(tokens),
      finish_reason: reason(finishes.at(-1)),
    });
  }
  return { ...heading(request), object: "chat.completion", choices, usage: usage(finishes) };
}

export async function* streamChat(
  model: Chat,
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
  const finishes: Finish[] = [];
  for (let index = 0; index < request.answers; index++) {
    const none = { index, logprobs: null, finish_reason: null };
    yield chunk([{ ...none, delta: { role: "assistant", content: "" } }]);
    for await (const { text, logProbs, finish } of answer(model, request, index, signal)) {
      if (text !== "" || logProbs)
        yield chunk([{ ...none, delta: { content: text }, logprobs: logProbs ? logprobs(logProbs) : null }]);
      if (finish) finishes.push(finish);
    }
    yield chunk([{ ...none, delta: {}, finish_reason: reason(finishes.at(-1)) }]);
  }
  if (request.includeUsage) yield { ...chunk([]), usage: usage(finishes) };
}

/** @throws what the signal was aborted with: a completion has no finish reason for that */
async function* answer(
  model: Chat,
  { messages, options, seed }: ChatRequest,
  index: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Chunk, void, void> {
  const own = { ...(seed !== undefined && { seed: seed + index }), ...(signal && { signal }) };
  for await (const chunk of model.chat(messages, { ...options, ...own })) {
    if (chunk.finish?.reason === "abort") signal?.throwIfAborted();
    yield chunk;
  }
}

const heading = ({ model }: ChatRequest) => ({
  id: `chatcmpl-${crypto.randomUUID().replaceAll("-", "")}`,
  created: Math.floor(Date.now() / 1000),
  model,
});

const reason = (finish: Finish | undefined): "stop" | "length" =>
  finish?.reason === "length" ? "length" : "stop";

/** The prompt counts once: later answers find it in the cache. */
function usage(finishes: readonly Finish[]): CompletionUsage {
  const prompt = finishes[0]?.promptTokens ?? 0;
  const completion = finishes.reduce((sum, { completionTokens }) => sum + completionTokens, 0);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: finishes[0]?.cachedTokens ?? 0 },
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
