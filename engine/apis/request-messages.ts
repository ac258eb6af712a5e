// The messages of a request -> those of `chat`. One reader for OpenAI's chat and Workers AI.
import { isObject } from "../../weights/json.ts";
import type { Message } from "../api.ts";
import { outOfRange, shown, wrongType } from "../options/parameter.ts";
import { type Given, isNothing, refuse, refuseOthers } from "./quiet-fields.ts";
import { readCalls } from "./request-tools.ts";

const MAX_MESSAGES = 4096;
// `name` is accepted: no template of Mistral's family distinguishes several users.
const MESSAGE = new Set([
  ...["role", "content", "name", "prefix", "reasoning_content"],
  ...["tool_calls", "tool_call_id"],
]);
const PART = new Set(["type", "text"]);

export interface Conversation {
  readonly messages: readonly Message[];
  /** Whether the last message has `prefix: true`: the answer continues its text. */
  readonly prefix: boolean;
}

type Roles = Readonly<Record<string, Message["role"]>>;

/**
 * @param roles the roles that a request may use
 * @throws TypeError or RangeError with `parameter`
 */
export function readMessages(messages: unknown, roles: Roles): Conversation {
  const expected = `expected a list of 1 to ${MAX_MESSAGES} messages, got ${shown(messages)}.`;
  if (!Array.isArray(messages)) throw wrongType("messages", expected);
  if (messages.length === 0 || messages.length > MAX_MESSAGES) throw outOfRange("messages", expected);
  const prefix: boolean = isObject(messages.at(-1)) && messages.at(-1).prefix === true;
  return {
    messages: messages.map((each, i) => readMessage(each, i, i === messages.length - 1, roles)),
    prefix,
  };
}

function readMessage(message: unknown, i: number, last: boolean, roles: Roles): Message {
  const where = `messages[${i}]`;
  if (!isObject(message)) throw wrongType(where, `expected an object, got ${shown(message)}.`);
  const { role, content, prefix, name, reasoning_content: reasoning } = message;
  if (typeof role !== "string" || !Object.hasOwn(roles, role))
    throw wrongType(`${where}.role`, `expected ${Object.keys(roles).join(", ")}, got ${shown(role)}.`);
  refuseOthers(message, MESSAGE, `${where}.`);
  if (!isNothing(name) && typeof name !== "string")
    throw wrongType(`${where}.name`, `expected a text, got ${shown(name)}.`);
  const ours = roles[role]!;
  if (!isNothing(reasoning)) {
    if (typeof reasoning !== "string")
      throw wrongType(`${where}.reasoning_content`, `expected a text, got ${shown(reasoning)}.`);
    if (ours !== "assistant") refuse(`${where}.reasoning_content`);
  }
  if (!isNothing(prefix)) {
    if (prefix !== true) throw wrongType(`${where}.prefix`, `expected true or false, got ${shown(prefix)}.`);
    if (!last || ours !== "assistant") refuse(`${where}.prefix`);
  }
  // An assistant's message with calls of tools often has no content.
  const silent = ours === "assistant" && (content === undefined || isNothing(content));
  return {
    ...{ role: ours, content: silent ? "" : readContent(content, `${where}.content`) },
    ...(typeof reasoning === "string" && reasoning !== "" && { reasoning }),
    ...readToolFields(message, ours, where),
  };
}

/** Calls of an assistant; which call a tool answers. Without an id, that is the call of its name. */
function readToolFields(
  { tool_calls: calls, tool_call_id: id, name }: Given,
  role: Message["role"],
  where: string,
): Pick<Message, "toolCalls" | "toolCallId" | "name"> {
  if (!isNothing(calls) && role !== "assistant") refuse(`${where}.tool_calls`);
  if (role === "assistant" && !isNothing(calls))
    return { toolCalls: readCalls(calls, `${where}.tool_calls`) };
  if (role !== "tool") {
    if (!isNothing(id)) refuse(`${where}.tool_call_id`);
    return {};
  }
  const call = isNothing(id) ? name : id;
  if (typeof call !== "string" || call === "")
    throw wrongType(`${where}.tool_call_id`, `expected the id of a call, got ${shown(id)}.`);
  return { toolCallId: call, ...(typeof name === "string" && name !== "" && { name }) };
}

function readContent(content: unknown, where: string): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content) || content.length === 0)
    throw wrongType(where, `expected a text, got ${shown(content)}.`);
  return content.map((part: unknown, i) => readPart(part, `${where}[${i}]`)).join("");
}

function readPart(part: unknown, where: string): string {
  if (!isObject(part) || part["type"] !== "text") {
    const got = isObject(part) ? shown(part["type"]) : shown(part);
    throw wrongType(where, `expected a part of type "text", got ${got}. This model reads text.`);
  }
  refuseOthers(part, PART, `${where}.`);
  const { text } = part;
  if (typeof text === "string") return text;
  throw wrongType(`${where}.text`, `expected a text, got ${shown(text)}.`);
}
