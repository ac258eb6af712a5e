// A call of the AI SDK -> messages and options of `chat`, and warnings about options that have no effect.
import type {
  LanguageModelV3CallOptions,
  LanguageModelV3Message,
  LanguageModelV3ToolResultPart,
  SharedV3Warning,
} from "@ai-sdk/provider";
import type { ChatOptions, Message, Tool, ToolCall } from "../../api.ts";
import { shown, wrongType } from "../../options/parameter.ts";
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
  const messages = call.prompt.flatMap((message, i) => readMessage(message, `prompt[${i}]`));
  const asked = readFormat({ ...call }, "aiSdk");
  return {
    ...{ messages, asked },
    options: {
      ...readOptions({ ...call }, "aiSdk", asked),
      ...(call.abortSignal && { signal: call.abortSignal }),
      ...readTools(call),
      ...(messages.at(-1)?.role === "assistant" && { continueFinalMessage: true }),
    },
    warnings: [...inVain(call)].map(([feature, details]) => ({ type: "unsupported", feature, details })),
  };
}

function* inVain(call: LanguageModelV3CallOptions): Generator<[feature: string, details: string]> {
  for (const { type, name } of call.tools ?? [])
    if (type !== "function") yield [`tool ${name}`, "Sirocco has no tools of its own."];
  for (const [name, value] of Object.entries(call)) {
    if (!KNOWN.has(name) && !isNothing(value)) yield [name, "Sirocco has no such option."];
  }
  for (const [name, value] of Object.entries(call.providerOptions?.["sirocco"] ?? {})) {
    if (!isNothing(value))
      yield [`providerOptions.sirocco.${name}`, "Sirocco has no options of its own here."];
  }
}

/** The results of tools are a message each. */
function readMessage(message: LanguageModelV3Message, where: string): readonly Message[] {
  const { role, content } = message;
  if (role === "tool")
    return content.flatMap((part) => (part.type === "tool-result" ? [readResult(part)] : []));
  if (typeof content === "string") return [{ role, content }];
  const reasoning: string[] = [];
  const toolCalls: ToolCall[] = [];
  const texts = content.map((part, i) => {
    if (part.type === "text") return part.text;
    if (part.type === "reasoning") reasoning.push(part.text);
    else if (part.type === "tool-call")
      toolCalls.push({ id: part.toolCallId, name: part.toolName, arguments: JSON.stringify(part.input) });
    else
      throw wrongType(
        `${where}.content[${i}]`,
        `expected text, got a part of type ${shown(part.type)}. Leave it out: this model reads text.`,
      );
    return "";
  });
  return [
    {
      ...{ role, content: texts.join("") },
      ...(reasoning.length > 0 && { reasoning: reasoning.join("") }),
      ...(toolCalls.length > 0 && { toolCalls }),
    },
  ];
}

function readResult({ toolCallId, toolName, output }: LanguageModelV3ToolResultPart): Message {
  const value =
    output.type === "execution-denied" ? (output.reason ?? "The user did not allow it.") : output.value;
  const content = typeof value === "string" ? value : JSON.stringify(value);
  return { role: "tool", toolCallId, name: toolName, content };
}

function readTools({ tools = [], toolChoice }: LanguageModelV3CallOptions): Partial<ChatOptions> {
  const ours = tools.flatMap((tool): Tool[] => {
    if (tool.type !== "function") return [];
    const { name, description, inputSchema } = tool;
    // Zod names its dialect.
    const { $schema: _, ...parameters } = inputSchema as Record<string, unknown>;
    return [{ name, parameters, ...(description !== undefined && { description }) }];
  });
  if (ours.length === 0) return {};
  if (!toolChoice) return { tools: ours };
  return {
    tools: ours,
    toolChoice: toolChoice.type === "tool" ? { name: toolChoice.toolName } : toolChoice.type,
  };
}
