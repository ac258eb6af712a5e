// A request in OpenAI's shape -> messages and options of `chat`. What would not be heeded is refused by its name.
import type { GenerateOptions, Message } from "./api.ts";
import type { ChatCompletionCreateParams } from "./openai-types.ts";

export interface ChatRequest {
  readonly messages: readonly Message[];
  /** Without a seed and a signal, which answers have each of their own. */
  readonly options: GenerateOptions;
  readonly seed: number | undefined;
  readonly answers: number;
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

const KNOWN: ReadonlySet<string> = new Set<keyof ChatCompletionCreateParams>([
  ...(["messages", "model", "stream", "stream_options", "max_completion_tokens", "max_tokens"] as const),
  ...(["temperature", "top_p", "frequency_penalty", "presence_penalty", "logit_bias", "stop"] as const),
  ...(["seed", "n", "logprobs", "top_logprobs", "user", "response_format"] as const),
  ...(["top_k", "min_p", "repetition_penalty"] as const),
]);

const ROLES = { system: "system", developer: "system", user: "user", assistant: "assistant" } as const;
const MOST_ANSWERS = 128;

/** @throws TypeError, RangeError */
export function readRequest(params: ChatCompletionCreateParams): ChatRequest {
  const given: Readonly<Record<string, unknown>> = { ...params };
  for (const [name, value] of Object.entries(given)) {
    if (!KNOWN.has(name) && !isNothing(value)) refuse(name);
  }
  const number = (name: keyof ChatCompletionCreateParams) => read(given, name, "a number", isNumber);
  const flag = (name: keyof ChatCompletionCreateParams) =>
    read(given, name, "true or false", isBoolean) ?? false;

  const format = read(given, "response_format", "{ type: 'text' }", isObject)?.["type"];
  if (format !== undefined && format !== "text") refuse(`response_format.type ${JSON.stringify(format)}`);
  read(given, "user", "a string", isString);
  const stream = flag("stream");
  const streamOptions = read(given, "stream_options", "an object", isObject);
  if (streamOptions && !stream) throw new TypeError("stream_options: expected stream: true with it. Add it.");
  for (const [name, value] of Object.entries(streamOptions ?? {})) {
    if (name !== "include_usage" && !isNothing(value)) refuse(`stream_options.${name}`);
  }

  const [maxTokens, older] = [number("max_completion_tokens"), number("max_tokens")];
  if (maxTokens !== undefined && older !== undefined)
    throw new TypeError("max_tokens: expected it or max_completion_tokens, got both. Leave one out.");
  const top = number("top_logprobs");
  if (top !== undefined && !flag("logprobs"))
    throw new TypeError("top_logprobs: expected logprobs: true with it. Add it.");
  const answers = number("n") ?? 1;
  if (!Number.isInteger(answers) || answers < 1 || answers > MOST_ANSWERS)
    throw new RangeError(`n: expected a whole number from 1 to ${MOST_ANSWERS}, got ${answers}.`);

  return {
    messages: readMessages(given["messages"]),
    options: definedOnly({
      maxTokens: maxTokens ?? older,
      temperature: number("temperature") ?? 1,
      topP: number("top_p"),
      topK: number("top_k"),
      minP: number("min_p"),
      repetitionPenalty: number("repetition_penalty"),
      frequencyPenalty: number("frequency_penalty"),
      presencePenalty: number("presence_penalty"),
      logitBias: read(given, "logit_bias", "numbers by token id", isBias),
      stop: read(given, "stop", "a string or strings", isStop),
      topLogProbs: flag("logprobs") ? (top ?? 0) : undefined,
    }),
    seed: number("seed"),
    answers,
    model: read(given, "model", "a string", isString) ?? "sirocco",
    stream,
    includeUsage: streamOptions?.["include_usage"] === true,
  };
}

function readMessages(messages: unknown): Message[] {
  if (!Array.isArray(messages)) throw new TypeError(`messages: expected a list, got ${typeof messages}.`);
  return messages.map((message: unknown, i) => {
    const where = `messages[${i}]`;
    if (!isObject(message)) throw new TypeError(`${where}: expected an object, got ${typeof message}.`);
    const { role, content, ...rest } = message;
    for (const [name, value] of Object.entries(rest)) {
      if (!isNothing(value)) refuse(`${where}.${name}`);
    }
    if (!isString(role) || !Object.hasOwn(ROLES, role))
      throw new TypeError(`${where}.role: expected ${Object.keys(ROLES).join(", ")}, got ${show(role)}.`);
    return { role: ROLES[role as keyof typeof ROLES], content: readContent(content, `${where}.content`) };
  });
}

function readContent(content: unknown, where: string): string {
  if (isString(content)) return content;
  if (!Array.isArray(content)) throw new TypeError(`${where}: expected a text, got ${show(content)}.`);
  return content
    .map((part: unknown, i) => {
      if (isObject(part) && part["type"] === "text" && isString(part["text"])) return part["text"];
      const got = isObject(part) ? show(part["type"]) : typeof part;
      throw new TypeError(
        `${where}[${i}]: expected a part of type "text", got ${got}. This model reads text.`,
      );
    })
    .join("");
}

function refuse(name: string): never {
  throw new TypeError(
    `chat.completions.create: expected no ${name}, got one. Sirocco does not support it: leave it out.`,
  );
}

function read<T>(
  given: Readonly<Record<string, unknown>>,
  name: keyof ChatCompletionCreateParams,
  expected: string,
  is: (value: unknown) => value is T,
): T | undefined {
  const value = given[name];
  if (value === undefined || value === null) return undefined;
  if (is(value)) return value;
  throw new TypeError(`${name}: expected ${expected}, got ${show(value)}.`);
}

/** What stands for "not given" in a request, or in a message that an OpenAI client kept. */
const isNothing = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0);
const isNumber = (value: unknown): value is number => typeof value === "number";
const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
const isString = (value: unknown): value is string => typeof value === "string";
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isBias = (value: unknown): value is Readonly<Record<number, number>> =>
  isObject(value) && Object.values(value).every(isNumber);
const isStop = (value: unknown): value is string | readonly string[] =>
  isString(value) || (Array.isArray(value) && value.every(isString));
const show = (value: unknown): string => String(JSON.stringify(value)).slice(0, 60);

function definedOnly(
  options: { [K in keyof GenerateOptions]: GenerateOptions[K] | undefined },
): GenerateOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
