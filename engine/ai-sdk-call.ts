// A call of the AI SDK -> messages and options of `chat`, and warnings for what it asks in vain.
import type { LanguageModelV3CallOptions, LanguageModelV3Message, SharedV3Warning } from "@ai-sdk/provider";
import type { GenerateOptions, Message } from "./api.ts";

export interface ChatCall {
  readonly messages: Message[];
  readonly options: GenerateOptions;
  readonly warnings: SharedV3Warning[];
}

/** @throws TypeError for a message that the model cannot read: without it the answer would be one to another question */
export function readCall(call: LanguageModelV3CallOptions): ChatCall {
  const given = {
    maxTokens: call.maxOutputTokens,
    temperature: call.temperature,
    stop: call.stopSequences,
    topP: call.topP,
    topK: call.topK,
    presencePenalty: call.presencePenalty,
    frequencyPenalty: call.frequencyPenalty,
    seed: call.seed,
    signal: call.abortSignal,
  };
  return {
    messages: call.prompt.map((message, i) => readMessage(message, `prompt[${i}]`)),
    options: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    warnings: [...unsupported(call)].map(([feature, details]) => ({ type: "unsupported", feature, details })),
  };
}

function* unsupported(call: LanguageModelV3CallOptions): Generator<[feature: string, details: string]> {
  if (call.tools?.length) yield ["tools", "Sirocco answers with text; no tool is called."];
  if (call.toolChoice && call.toolChoice.type !== "auto" && call.toolChoice.type !== "none")
    yield ["toolChoice", "Sirocco answers with text; no tool is called."];
  if (call.responseFormat?.type === "json")
    yield ["responseFormat", "Sirocco does not hold answers to JSON; ask for it in the prompt."];
}

function readMessage({ role, content }: LanguageModelV3Message, where: string): Message {
  if (role === "tool")
    throw new TypeError(`${where}.role: expected no tool, got one. Sirocco calls no tools.`);
  if (typeof content === "string") return { role, content };
  const texts = content.map((part, i) => {
    if (part.type === "text") return part.text;
    throw new TypeError(
      `${where}.content[${i}]: expected text, got a part of type "${part.type}". Leave it out: this model reads text.`,
    );
  });
  return { role, content: texts.join("") };
}
