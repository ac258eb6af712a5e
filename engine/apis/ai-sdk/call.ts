// A call of the AI SDK -> messages and options of `chat`, and warnings about options that have no effect.
import type { LanguageModelV3CallOptions, LanguageModelV3Message, SharedV3Warning } from "@ai-sdk/provider";
import type { ChatOptions, Message } from "../../api.ts";
import { shown, unsupported, wrongType } from "../../options/parameter.ts";
import { type AskedFormat, readFormat } from "../answer-format.ts";
import { isNothing } from "../quiet-fields.ts";
import { optionNames, readOptions } from "../request-options.ts";

export interface ChatCall {
  readonly messages: Message[];
  readonly options: ChatOptions;
  /** Where the call says the format that is among the options. */
  readonly asked: AskedFormat | undefined;
  readonly warnings: SharedV3Warning[];
}

/** Fields that are read here, or that do not concern the answer. */
const KNOWN = new Set([
  ...optionNames("aiSdk"),
  ...["prompt", "abortSignal", "includeRawChunks", "headers", "providerOptions"],
  ...["tools", "toolChoice"],
]);

/**
 * If the last message is the assistant's, the answer continues it, as in the SDK's provider for Mistral.
 * @throws TypeError or RangeError with `parameter`, also for a message that the model cannot read: without
 * that message, the model would answer another question
 */
export function readCall(call: LanguageModelV3CallOptions): ChatCall {
  const messages = call.prompt.map((message, i) => readMessage(message, `prompt[${i}]`));
  const asked = readFormat({ ...call }, "aiSdk");
  return {
    ...{ messages, asked },
    options: {
      ...readOptions({ ...call }, "aiSdk", asked),
      ...(call.abortSignal && { signal: call.abortSignal }),
      ...(messages.at(-1)?.role === "assistant" && { continueFinalMessage: true }),
    },
    warnings: [...inVain(call)].map(([feature, details]) => ({ type: "unsupported", feature, details })),
  };
}

function* inVain(call: LanguageModelV3CallOptions): Generator<[feature: string, details: string]> {
  if (call.tools?.length) yield ["tools", "Sirocco answers with text; no tool is called."];
  if (call.toolChoice && call.toolChoice.type !== "auto" && call.toolChoice.type !== "none")
    yield ["toolChoice", "Sirocco answers with text; no tool is called."];
  for (const [name, value] of Object.entries(call)) {
    if (!KNOWN.has(name) && !isNothing(value)) yield [name, "Sirocco has no such option."];
  }
  for (const [name, value] of Object.entries(call.providerOptions?.["sirocco"] ?? {})) {
    if (!isNothing(value))
      yield [`providerOptions.sirocco.${name}`, "Sirocco has no options of its own here."];
  }
}

function readMessage({ role, content }: LanguageModelV3Message, where: string): Message {
  if (role === "tool")
    throw unsupported(`${where}.role`, `${where}.role: expected no tool, got one. Sirocco calls no tools.`);
  if (typeof content === "string") return { role, content };
  const reasoning: string[] = [];
  const texts = content.map((part, i) => {
    if (part.type === "text") return part.text;
    if (part.type === "reasoning") {
      reasoning.push(part.text);
      return "";
    }
    throw wrongType(
      `${where}.content[${i}]`,
      `expected text, got a part of type ${shown(part.type)}. Leave it out: this model reads text.`,
    );
  });
  return { role, content: texts.join(""), ...(reasoning.length > 0 && { reasoning: reasoning.join("") }) };
}
