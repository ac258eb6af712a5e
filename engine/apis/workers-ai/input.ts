// The input of Workers AI's text generation -> prompt and options. Unsupported fields are refused by name.
import { isObject } from "../../../weights/json.ts";
import type { AnswerOptions, ChatOptions, Message } from "../../api.ts";
import { isParameterError, outOfRange, shown, unsupported, wrongType } from "../../options/parameter.ts";
import { type AskedFormat, readFormat } from "../answer-format.ts";
import { type Given, isNothing, refuse, refuseOthers } from "../quiet-fields.ts";
import { readMessages } from "../request-messages.ts";
import { optionNames, readFlag, readOptions, readText } from "../request-options.ts";
import { readTools, TOOL_FIELDS } from "../request-tools.ts";
import { aiError } from "./error.ts";

export interface AiCall {
  /** A conversation; with `raw`, the text that the model continues. */
  readonly prompt: string | readonly Message[];
  readonly options: Omit<ChatOptions, "continueFinalMessage">;
  /** The adapter that is to answer. */
  readonly lora: string | undefined;
  /** Where the input says the format that is among the options. */
  readonly asked: AskedFormat | undefined;
  readonly stream: boolean;
}

const KNOWN = new Set([
  ...["prompt", "messages", "raw", "stream", "lora", ...TOOL_FIELDS],
  ...optionNames("workersAi"),
]);
const ROLES = { system: "system", user: "user", assistant: "assistant", tool: "tool" } as const;

/** @throws AiError with `parameter` */
export function readInput(input: unknown): AiCall {
  try {
    return read(input);
  } catch (error) {
    throw badInput(error);
  }
}

/** An error about a field of the input as Workers AI's; any other stays as it is. */
export function badInput(error: unknown): unknown {
  if (!isParameterError(error)) return error;
  const { message, parameter } = error;
  return aiError("badInput", message, { parameter, cause: error });
}

/** The option for `lora`. @throws AiError if no adapter has the name */
export function adapterOf(
  loaded: readonly string[],
  lora: string | undefined,
): Pick<AnswerOptions, "adapter"> {
  if (lora === undefined) return {};
  if (loaded.includes(lora)) return { adapter: lora };
  const known = loaded.length > 0 ? `one of ${loaded.map(shown).join(", ")}` : "none, as none is loaded";
  throw badInput(outOfRange("lora", `expected ${known}, got ${shown(lora)}.`));
}

function read(input: unknown): AiCall {
  if (!isObject(input))
    throw wrongType("input", `expected an object such as { prompt: "…" }, got ${shown(input)}.`);
  refuseOthers(input, KNOWN);
  const asked = readFormat(input, "workersAi");
  const stream = readSwitch(input, "stream");
  if (asked && stream)
    throw unsupported(
      "stream",
      "stream: expected false with response_format, got true: JSON Mode doesn't support streaming. Leave one out.",
    );
  const prompt = readPrompt(input);
  const tools = readTools(input, true, [asked?.field]);
  if (tools.tools && typeof prompt === "string")
    throw wrongType("tools", "expected messages or a prompt that is not raw with them, got raw: true.");
  const options = { ...readOptions(input, "workersAi", asked), ...tools };
  return { prompt, options, lora: readText(input, "lora"), asked, stream };
}

function readPrompt(input: Given): string | readonly Message[] {
  const { prompt, messages } = input;
  const raw = readSwitch(input, "raw");
  if (isNothing(prompt) === isNothing(messages)) {
    // An empty prompt is a prompt: the error is that it is empty, not that it is missing.
    if (prompt === "") throw wrongType("prompt", 'expected a text, got "".');
    const got = isNothing(prompt) ? "neither" : "both";
    throw wrongType("input", `expected prompt or messages, got ${got}. Give one of them.`);
  }
  if (!isNothing(messages)) {
    const { messages: read, prefix } = readMessages(messages, ROLES);
    if (prefix) refuse(`messages[${read.length - 1}].prefix`);
    if (!raw) return read;
    // As in Cloudflare's examples of LoRA adapters.
    const [{ role, content } = {}, ...others] = read;
    if (role === "user" && content !== undefined && others.length === 0) return content;
    throw wrongType(
      "raw",
      "expected it with a prompt or one message of a user, got it with other messages. Write the template yourself.",
    );
  }
  if (typeof prompt !== "string") throw wrongType("prompt", `expected a text, got ${shown(prompt)}.`);
  return raw ? prompt : [{ role: "user", content: prompt }];
}

/** Also the text "true": Cloudflare's example for `curl` has `"raw": "true"`. */
function readSwitch(input: Given, name: "raw" | "stream"): boolean {
  const value = input[name];
  return value === "true" || (value !== "false" && readFlag(input, name));
}
