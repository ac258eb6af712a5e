// The input of Workers AI's text generation -> what the model is asked. What would not be heeded is refused by its name.
import type { GenerateOptions, Message } from "./api.ts";
import { aiError } from "./workers-ai-error.ts";

export interface AiCall {
  /** A conversation, or with `raw` the text that the model continues. */
  readonly prompt: string | readonly Message[];
  readonly options: GenerateOptions;
  readonly stream: boolean;
}

interface NumberField {
  readonly option: keyof GenerateOptions;
  readonly least: number;
  readonly most: number;
  readonly whole?: true;
  readonly usual?: number;
}

/**
 * Bounds and defaults of Cloudflare's schema for @cf/mistral/mistral-7b-instruct-v0.1, but for two: it names no least
 * `max_tokens`, and lets `repetition_penalty` be 0, by which no logit can be divided.
 */
const NUMBERS: Readonly<Record<string, NumberField>> = {
  max_tokens: { option: "maxTokens", least: 1, most: Infinity, whole: true, usual: 256 },
  temperature: { option: "temperature", least: 0, most: 5, usual: 0.6 },
  top_p: { option: "topP", least: 0, most: 2 },
  top_k: { option: "topK", least: 1, most: 50, whole: true },
  seed: { option: "seed", least: 1, most: 9_999_999_999, whole: true },
  repetition_penalty: { option: "repetitionPenalty", least: 0.001, most: 2 },
  frequency_penalty: { option: "frequencyPenalty", least: 0, most: 2 },
  presence_penalty: { option: "presencePenalty", least: 0, most: 2 },
};

const KNOWN: ReadonlySet<string> = new Set(["prompt", "messages", "raw", "stream", ...Object.keys(NUMBERS)]);
const ROLES = ["system", "user", "assistant"] as const;

type Given = Readonly<Record<string, unknown>>;

/** @throws AiError */
export function readInput(input: unknown): AiCall {
  if (!isObject(input)) throw bad("input", 'an object such as { prompt: "…" }', input);
  if (!isNothing(input["lora"]))
    throw aiError("noLora", "lora: expected none, got one. Sirocco does not support LoRA: leave it out.");
  for (const [name, value] of Object.entries(input)) {
    if (!KNOWN.has(name) && !isNothing(value)) throw unsupported(name);
  }
  return { prompt: readPrompt(input), options: readOptions(input), stream: readFlag(input, "stream") };
}

function readPrompt(input: Given): string | Message[] {
  const { prompt, messages } = input;
  const raw = readFlag(input, "raw");
  if (isNothing(prompt) === isNothing(messages)) {
    const got = isNothing(prompt) ? "neither" : "both";
    throw aiError("badInput", `input: expected prompt or messages, got ${got}. Give one of them.`);
  }
  if (!isNothing(messages)) {
    if (raw)
      throw aiError(
        "badInput",
        "raw: expected it with a prompt, got it with messages. Write the template yourself.",
      );
    return readMessages(messages);
  }
  if (typeof prompt !== "string" || prompt === "") throw bad("prompt", "a text", prompt);
  return raw ? prompt : [{ role: "user", content: prompt }];
}

function readMessages(messages: unknown): Message[] {
  if (!Array.isArray(messages)) throw bad("messages", "a list", messages);
  return messages.map((message: unknown, i) => {
    const where = `messages[${i}]`;
    if (!isObject(message)) throw bad(where, "an object", message);
    const { role, content, ...rest } = message;
    for (const [name, value] of Object.entries(rest)) {
      if (!isNothing(value)) throw unsupported(`${where}.${name}`);
    }
    const known = ROLES.find((name) => name === role);
    if (!known) throw bad(`${where}.role`, ROLES.join(", "), role);
    if (typeof content !== "string") throw bad(`${where}.content`, "a text", content);
    return { role: known, content };
  });
}

function readOptions(input: Given): GenerateOptions {
  const options = Object.entries(NUMBERS).flatMap(([name, field]) => {
    const value = readNumber(input[name], name, field);
    return value === undefined ? [] : [[field.option, value] as const];
  });
  return Object.fromEntries(options);
}

function readNumber(value: unknown, name: string, field: NumberField): number | undefined {
  const { least, most, whole, usual } = field;
  if (value === undefined || value === null) return usual;
  const fits =
    typeof value === "number" && value >= least && value <= most && (!whole || Number.isInteger(value));
  if (!fits) {
    const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
    throw bad(name, `a ${whole ? "whole " : ""}number ${range}`, value);
  }
  return name === "top_p" ? Math.min(value, 1) : value;
}

/** Cloudflare's own example for `curl` writes `"raw": "true"`, with quotes. */
function readFlag(input: Given, name: "raw" | "stream"): boolean {
  const value = input[name] ?? false;
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  throw bad(name, "true or false", value);
}

const bad = (where: string, expected: string, value: unknown) =>
  aiError("badInput", `${where}: expected ${expected}, got ${show(value)}.`);

const unsupported = (where: string) =>
  aiError("badInput", `${where}: expected none, got one. Sirocco does not support it: leave it out.`);

/** What stands for "not given". */
const isNothing = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0);
const isObject = (value: unknown): value is Given =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const show = (value: unknown): string => String(JSON.stringify(value)).slice(0, 60);
