/**
 * A loaded model as a [language model](https://ai-sdk.dev/providers/community-providers/custom-providers) of
 * Vercel's AI SDK. Only types of the SDK are imported.
 *
 * @module sirocco/ai-sdk
 */

import type {
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3FinishReason,
  LanguageModelV3GenerateResult,
  LanguageModelV3StreamPart,
  LanguageModelV3StreamResult,
  LanguageModelV3Usage,
} from "@ai-sdk/provider";
import type { Finish, Model, ToolCall, ToolCallDelta, Usage } from "./api.ts";
import { addCalls } from "./apis/added-calls.ts";
import { readCall } from "./apis/ai-sdk/call.ts";
import { withNames } from "./apis/answer-format.ts";
import { checkOptions, object, type Rules, text } from "./options/check.ts";
import { shown, wrongType } from "./options/parameter.ts";
import { wholeAnswer } from "./whole-answer.ts";

/** Settings of `sirocco`. */
export interface SiroccoSettings {
  /** Name of the model in logs and responses. Default "sirocco". */
  readonly modelId?: string;
}

const settingRules: Rules<SiroccoSettings> = { modelId: text };
const isModel = object("a loaded model", "chat").hasType;

/**
 * A loaded model as a language model of Vercel's AI SDK. Default temperature: 0.7, with top-p 0.95.
 *
 * @throws TypeError if `model` is not a loaded model; `parameter` names what is wrong
 *
 * @example
 * ```ts
 * import { generateText } from "ai";
 * import { sirocco } from "sirocco/ai-sdk";
 *
 * const { text, usage } = await generateText({
 *   model: sirocco(model),
 *   prompt: "Tell me a story.",
 *   maxOutputTokens: 12,
 * });
 * console.log(text.length > 0, usage.outputTokens); // true 12
 * ```
 */
export function sirocco(model: Pick<Model, "chat">, settings: SiroccoSettings = {}): LanguageModelV3 {
  if (!isModel(model)) throw wrongType("model", `expected a loaded model, got ${shown(model)}.`);
  checkOptions("sirocco", settings, settingRules);
  const { modelId = "sirocco" } = settings;
  return {
    specificationVersion: "v3",
    provider: "sirocco",
    modelId,
    supportedUrls: {},
    doGenerate: (call) => generate(model, modelId, call),
    doStream: (call) => stream(model, modelId, call),
  };
}

/** A provider of one model. Every name that it is called with stands for that model. */
export function createSirocco(model: Pick<Model, "chat">): (modelId?: string) => LanguageModelV3 {
  return (modelId) => sirocco(model, modelId === undefined ? {} : { modelId });
}

async function generate(
  model: Pick<Model, "chat">,
  modelId: string,
  call: LanguageModelV3CallOptions,
): Promise<LanguageModelV3GenerateResult> {
  const { messages, options, asked, warnings } = readCall(call);
  const answer = await wholeAnswer(withNames(model.chat(messages, options), asked), call.abortSignal);
  const { text, reasoning, toolCalls = [], reason, warnings: changes = [] } = answer;
  return {
    content: [
      ...(reasoning === undefined ? [] : [{ type: "reasoning" as const, text: reasoning }]),
      ...(text === "" ? [] : [{ type: "text" as const, text }]),
      ...toolCalls.map(toolCall),
    ],
    finishReason: finishReason(reason),
    usage: usage(answer.usage),
    response: { modelId, timestamp: new Date() },
    warnings: [...warnings, ...changes.map((message) => ({ type: "other" as const, message }))],
  };
}

async function stream(
  model: Pick<Model, "chat">,
  modelId: string,
  call: LanguageModelV3CallOptions,
): Promise<LanguageModelV3StreamResult> {
  const { messages, options, asked, warnings } = readCall(call);

  async function* parts(): AsyncGenerator<LanguageModelV3StreamPart, void, void> {
    // The number of the part that is open, and what it is. An answer without any has an empty text.
    let id = -1;
    let open: "text" | "reasoning" | undefined;
    const turnTo = function* (kind: typeof open): Generator<LanguageModelV3StreamPart, void> {
      if (kind === open) return;
      if (open) yield { type: `${open}-end`, id: `${id}` };
      open = kind;
      if (kind) yield { type: `${kind}-start`, id: `${++id}` };
    };
    const deltas = function* (
      kind: "text" | "reasoning",
      delta: string,
    ): Generator<LanguageModelV3StreamPart, void> {
      if (delta === "") return;
      yield* turnTo(kind);
      yield { type: `${kind}-delta`, id: `${id}`, delta };
    };
    const calls: ToolCall[] = [];
    const callParts = function* (
      pieces: readonly ToolCallDelta[] = [],
      finish: Finish | undefined,
    ): Generator<LanguageModelV3StreamPart, void> {
      for (const piece of pieces) {
        const { id, name: toolName, arguments: delta } = piece;
        if (delta === "") {
          yield* turnTo(undefined);
          yield* endCall(calls.at(-1));
          yield { type: "tool-input-start", id, toolName };
        } else yield { type: "tool-input-delta", id, delta };
        addCalls(calls, [piece]);
      }
      // A call that was cut off is none.
      if (finish) yield* endCall(calls.at(-1), finish.reason === "tool-calls");
    };
    yield { type: "stream-start", warnings };
    yield { type: "response-metadata", modelId, timestamp: new Date() };
    for await (const chunk of withNames(model.chat(messages, options), asked)) {
      if (chunk.finish?.reason === "abort") call.abortSignal?.throwIfAborted();
      if (call.includeRawChunks) yield { type: "raw", rawValue: chunk };
      yield* deltas("reasoning", chunk.reasoning ?? "");
      yield* deltas("text", chunk.text);
      yield* callParts(chunk.toolCalls, chunk.finish);
      if (!chunk.finish) continue;
      if (id < 0 && calls.length === 0) yield* turnTo("text");
      yield* turnTo(undefined);
      // Too late for the SDK's own warnings.
      const changes = chunk.finish.warnings;
      yield {
        type: "finish",
        finishReason: finishReason(chunk.finish.reason),
        usage: usage(chunk.finish),
        ...(changes && { providerMetadata: { sirocco: { warnings: [...changes] } } }),
      };
    }
  }
  return { stream: readable(parts()) };
}

const toolCall = ({ id, name, arguments: input }: ToolCall) => ({
  ...{ type: "tool-call" as const, toolCallId: id },
  ...{ toolName: name, input },
});

function* endCall(call: ToolCall | undefined, isWhole = true): Generator<LanguageModelV3StreamPart, void> {
  if (!call) return;
  yield { type: "tool-input-end", id: call.id };
  if (isWhole) yield toolCall(call);
}

/**
 * Makes a part when the reader asks for one. Cancelling ends the answer. (Not all browsers have
 * `ReadableStream.from`.)
 */
function readable<T>(parts: AsyncGenerator<T, void, void>): ReadableStream<T> {
  return new ReadableStream<T>(
    {
      async pull(controller) {
        const { done, value } = await parts.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await parts.return();
      },
    },
    { highWaterMark: 0 },
  );
}

function finishReason(reason: Finish["reason"]): LanguageModelV3FinishReason {
  return { unified: reason === "abort" ? "other" : reason, raw: reason };
}

function usage({
  promptTokens,
  cachedTokens,
  completionTokens,
  reasoningTokens,
}: Usage): LanguageModelV3Usage {
  return {
    inputTokens: {
      total: promptTokens,
      noCache: promptTokens - cachedTokens,
      cacheRead: cachedTokens,
      cacheWrite: undefined,
    },
    outputTokens: {
      total: completionTokens,
      text: completionTokens - (reasoningTokens ?? 0),
      reasoning: reasoningTokens,
    },
  };
}
