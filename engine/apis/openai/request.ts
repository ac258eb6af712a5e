// A request in OpenAI's shape -> messages and options of `chat`. Unsupported fields are refused by name.
import { isObject } from "../../../weights/json.ts";
import type { ChatOptions, Message } from "../../api.ts";
import { shown, wrongType } from "../../options/parameter.ts";
import type { ChatCompletionCreateParams } from "../../types/openai.ts";
import { type AskedFormat, readFormat } from "../answer-format.ts";
import { type Given, isNothing, refuseOthers } from "../quiet-fields.ts";
import { readMessages } from "../request-messages.ts";
import { optionNames, readFlag, readNumber, readOptions, readText } from "../request-options.ts";
import { readTools, TOOL_FIELDS } from "../request-tools.ts";

export interface ChatRequest {
  readonly messages: readonly Message[];
  /** Excludes seed and signal, which are set per answer. */
  readonly options: ChatOptions;
  /** Where the request says the format that is among the options. */
  readonly asked: AskedFormat | undefined;
  readonly seed: number | undefined;
  readonly answers: number;
  /** undefined: the request has none. */
  readonly model: string | undefined;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

const ROLES = {
  system: "system",
  developer: "system",
  user: "user",
  assistant: "assistant",
  tool: "tool",
} as const;
export const MAX_ANSWERS = 128;

const COMMON = ["model", "stream", "stream_options", "n", "user"] as const;
const CONTINUE = ["continue_final_message", "add_generation_prompt"] as const;
const KNOWN = new Set([
  ...COMMON,
  ...CONTINUE,
  ...TOOL_FIELDS,
  "safe_prompt",
  "messages",
  "logprobs",
  ...optionNames("chat"),
]);

/** @throws TypeError, RangeError with `parameter` */
export function readRequest(params: ChatCompletionCreateParams): ChatRequest {
  const given: unknown = params;
  if (!isObject(given)) throw wrongType("params", `expected an object, got ${shown(given)}.`);
  refuseOthers(given, KNOWN);
  const { messages, prefix } = readMessages(given["messages"], ROLES);
  const listed = readFlag(given, "logprobs");
  const asked = readFormat(given, "chat");
  const { seed, topLogProbs, ...options } = readOptions(given, "chat", asked);
  if (topLogProbs && !listed) throw wrongType("top_logprobs", "expected logprobs: true with it. Add it.");
  const continues = readContinue(given, messages, prefix);
  return {
    messages,
    options: {
      ...options,
      ...readTools(given, false, [
        asked?.field,
        continues && (prefix ? `messages[${messages.length - 1}].prefix` : "continue_final_message"),
      ]),
      ...(listed && { topLogProbs: topLogProbs ?? 0 }),
      ...(continues && { continueFinalMessage: true }),
      ...(readFlag(given, "safe_prompt") && { safePrompt: true }),
    },
    asked,
    seed,
    ...readCommon(given),
  };
}

/** The fields that chat and text completions share, besides the options. */
export function readCommon(given: Given): Pick<ChatRequest, "answers" | "model" | "stream" | "includeUsage"> {
  const { n } = given;
  const stream = readFlag(given, "stream");
  readText(given, "user");
  return {
    answers: isNothing(n) ? 1 : readNumber(n, "n", true, 1, MAX_ANSWERS),
    model: readText(given, "model"),
    stream,
    includeUsage: readStreamOptions(given["stream_options"], stream),
  };
}

function readStreamOptions(options: unknown, stream: boolean): boolean {
  if (isNothing(options)) return false;
  if (!isObject(options)) throw wrongType("stream_options", `expected an object, got ${shown(options)}.`);
  refuseOthers(options, new Set(["include_usage"]), "stream_options.");
  const { include_usage: usage } = options;
  if (isNothing(usage)) return false;
  if (usage !== true)
    throw wrongType("stream_options.include_usage", `expected true or false, got ${shown(usage)}.`);
  if (!stream) throw wrongType("stream_options", "expected stream: true with it. Add it.");
  return true;
}

/** vLLM's two fields, or Mistral's `prefix` on the last message. */
function readContinue(given: Given, messages: readonly Message[], prefix: boolean): boolean {
  const continues = prefix || readFlag(given, "continue_final_message");
  const opens = readFlag(given, "add_generation_prompt", !continues);
  if (continues && messages.at(-1)?.role !== "assistant")
    throw wrongType(
      "continue_final_message",
      `expected the last message to be an assistant's, got ${shown(messages.at(-1)?.role)}.`,
    );
  if (continues === opens)
    throw wrongType(
      "add_generation_prompt",
      continues
        ? "expected false with continue_final_message: true, got true. Leave it out."
        : "expected true, or false with continue_final_message: true, got false. Leave it out.",
    );
  return continues;
}
