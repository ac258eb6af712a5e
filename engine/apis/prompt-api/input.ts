// What a page passes to the Prompt API -> messages, tools and formats of the engine. Members that the
// specification does not name are ignored, as WebIDL does it.
import type { Message, Tool } from "../../api.ts";
import { outOfRange, shown, wrongType } from "../../options/parameter.ts";
import type { AskedFormat } from "../answer-format.ts";
import { domError, notSupported } from "./errors.ts";
import type {
  LanguageModelContentPart,
  LanguageModelCreateCoreOptions,
  LanguageModelExpected,
  LanguageModelMessage,
  LanguageModelParams,
  LanguageModelPromptOptions,
  LanguageModelSamplingMode,
  LanguageModelTool,
} from "./types.ts";

export const PARAMS: LanguageModelParams = {
  ...{ defaultTopK: 3, maxTopK: 128 },
  ...{ defaultTemperature: 1, maxTemperature: 2 },
};

const MODES: Readonly<Record<LanguageModelSamplingMode, Sampling>> = {
  "most-predictable": { temperature: 0, topK: 1 },
  predictable: { temperature: 0.5, topK: 3 },
  balanced: { temperature: PARAMS.defaultTemperature, topK: PARAMS.defaultTopK },
  creative: { temperature: 1, topK: 8 },
  "most-creative": { temperature: 1.2, topK: 40 },
};

export interface Sampling {
  readonly topK: number;
  readonly temperature: number;
}

/** What `availability` and `create` have in common. */
export interface Core extends Sampling {
  readonly samplingMode: LanguageModelSamplingMode;
  readonly tools: readonly Tool[];
}

export interface ReadPrompt {
  readonly messages: readonly Message[];
  /** Whether the answer continues the last message. */
  readonly continues: boolean;
}

const ROLES = ["system", "user", "assistant"];
/** What the specification names: the last two are not supported. */
const TYPES = ["text", "tool-call", "tool-response", "image", "audio"];

/**
 * Messages of a prompt. WebIDL makes a text of what is no list.
 * @throws TypeError; DOMException `SyntaxError`, `NotSupportedError`
 */
export function readPrompt(input: unknown): ReadPrompt {
  const isList = typeof input === "object" && input !== null && Symbol.iterator in input;
  if (!isList) return { messages: [{ role: "user", content: String(input) }], continues: false };
  const messages = [...(input as Iterable<LanguageModelMessage>)];
  if (messages.length === 0) throw wrongType("input", "expected at least one message, got none.");
  const read = messages.map((message, i) => readMessage(message, `input[${i}]`));
  const system = messages.findIndex(({ role }) => role === "system");
  if (system >= 0)
    throw wrongType(`input[${system}].role`, 'expected user or assistant, got "system". Use initialPrompts.');
  const prefix = messages.findIndex((each) => each.prefix);
  const continues = prefix >= 0;
  if (continues && (prefix < messages.length - 1 || messages[prefix]?.role !== "assistant"))
    throw domError(
      "SyntaxError",
      `input[${prefix}].prefix: expected it on the last message, an assistant's.`,
    );
  return { messages: read, continues };
}

/** @throws as `readPrompt` */
export function readInitialPrompts(given: readonly LanguageModelMessage[] = []): readonly Message[] {
  const list = [...given];
  list.forEach(({ role, prefix }, i) => {
    const where = `initialPrompts[${i}]`;
    if (role === "system" && i > 0)
      throw wrongType(
        `${where}.role`,
        'expected user or assistant, got "system", which has to be the first.',
      );
    if (prefix) throw domError("SyntaxError", `${where}.prefix: expected none. Use it in a prompt.`);
  });
  return list.map((message, i) => readMessage(message, `initialPrompts[${i}]`));
}

function readMessage(message: LanguageModelMessage, where: string): Message {
  const { role, content } = Object(message) as LanguageModelMessage;
  if (!ROLES.includes(role))
    throw wrongType(`${where}.role`, `expected ${ROLES.join(", ")}, got ${shown(role)}.`);
  if (content === undefined) throw wrongType(`${where}.content`, "expected a text, got nothing.");
  const parts = typeof content === "object" && content !== null && Symbol.iterator in content;
  const text = parts
    ? [...content].map((part, i) => readPart(part, `${where}.content[${i}]`)).join("")
    : content;
  return { role, content: String(text) };
}

function readPart(part: LanguageModelContentPart, where: string): string {
  const { type, value } = Object(part) as LanguageModelContentPart;
  checkType(type, `${where}.type`, ["text"]);
  if (typeof value !== "string") throw wrongType(`${where}.value`, `expected a text, got ${shown(value)}.`);
  return value;
}

/** @throws DOMException `NotSupportedError` for what is not text; TypeError, RangeError */
export function readCore(options: LanguageModelCreateCoreOptions): Core {
  checkExpected(options.expectedInputs, "expectedInputs");
  checkExpected(options.expectedOutputs, "expectedOutputs");
  const { samplingMode = "balanced", tools = [] } = options;
  if (!Object.hasOwn(MODES, samplingMode))
    throw wrongType("samplingMode", `expected ${Object.keys(MODES).join(", ")}, got ${shown(samplingMode)}.`);
  const { topK = MODES[samplingMode].topK, temperature = MODES[samplingMode].temperature } = options;
  if (!(temperature >= 0))
    throw outOfRange("temperature", `expected a number from 0 on, got ${shown(temperature)}.`);
  if (!(topK >= 1)) throw outOfRange("topK", `expected a whole number from 1 on, got ${shown(topK)}.`);
  return {
    samplingMode,
    topK: Math.min(Math.floor(topK), PARAMS.maxTopK),
    temperature: Math.min(temperature, PARAMS.maxTemperature),
    tools: [...tools].map(readTool),
  };
}

function checkExpected(given: readonly LanguageModelExpected[] = [], where: string): void {
  for (const [i, { type }] of [...given].entries()) checkType(type, `${where}[${i}].type`, TYPES.slice(0, 3));
}

function checkType(type: string, where: string, able: readonly string[]): void {
  if (!TYPES.includes(type)) throw wrongType(where, `expected ${TYPES.join(", ")}, got ${shown(type)}.`);
  if (!able.includes(type))
    throw notSupported(`${where}: expected text, got ${shown(type)}. This model reads and writes text.`);
}

function readTool({ name, description, inputSchema, execute }: LanguageModelTool, i: number): Tool {
  if (typeof execute !== "function")
    throw notSupported(
      `tools[${i}].execute: expected a function, got ${shown(execute)}. Give one: it is called.`,
    );
  const parameters = inputSchema && withoutDialect(inputSchema);
  return { name, ...(description !== undefined && { description }), ...(parameters && { parameters }) };
}

/** Libraries of schemas name their dialect, which is no keyword of a value. */
function withoutDialect(schema: object) {
  const { $schema: _, ...others } = schema as Record<string, unknown>;
  return others;
}

/** @throws TypeError; DOMException `NotSupportedError` */
export function readConstraint({
  responseConstraint: asked,
}: LanguageModelPromptOptions): AskedFormat | undefined {
  const field = "responseConstraint";
  if (asked === undefined) return undefined;
  if (typeof asked !== "object" || asked === null)
    throw wrongType(field, `expected a JSON Schema or a RegExp, got ${shown(asked)}.`);
  if (!(asked instanceof RegExp))
    return { field, format: { type: "json_schema", schema: withoutDialect(asked) } };
  const flags = asked.flags.replace(/[dguvy]/g, "");
  if (flags !== "")
    throw notSupported(`${field}: expected no flags, got "${flags}". Write them into the pattern.`);
  return { field, format: { type: "regex", pattern: asked.source } };
}

/** The prompt with its constraint in words, after the last message of the user. */
export function withConstraint(messages: readonly Message[], asked: AskedFormat): readonly Message[] {
  const last = messages.findLastIndex(({ role }) => role === "user");
  const { format } = asked;
  const words =
    format.type === "regex"
      ? `Answer with a text that matches this regular expression: ${format.pattern}`
      : `Answer with JSON of this JSON Schema: ${JSON.stringify(Object(format).schema)}`;
  return messages.map((message, i) =>
    i === last ? { ...message, content: `${message.content}\n\n${words}` } : message,
  );
}
