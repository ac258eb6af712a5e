// Checks the messages of a call before a chat template gets them.
import type { Message, ToolCall } from "./api.ts";
import { type Given, refuseOthers } from "./apis/quiet-fields.ts";
import { outOfRange, shown, wrongType } from "./options/parameter.ts";

const FIELDS = new Set(["role", "content", "name", "reasoning", "toolCalls", "toolCallId"]);
const ROLES: readonly unknown[] = ["system", "user", "assistant", "tool"] satisfies Message["role"][];
const CALL_FIELDS: ReadonlySet<keyof ToolCall> = new Set(["id", "name", "arguments"]);

/** @throws TypeError, RangeError with `parameter`: "messages[0].content" */
export function checkMessages(messages: readonly Message[]): void {
  if (!Array.isArray(messages))
    throw wrongType("messages", `expected a list of { role, content }, got ${shown(messages)}.`);
  if (messages.length === 0)
    throw outOfRange("messages", "expected at least one message, got an empty list.");
  for (const [i, message] of messages.entries()) {
    const where = `messages[${i}]`;
    if (typeof message !== "object" || message === null)
      throw wrongType(where, `expected { role, content }, got ${shown(message)}.`);
    const { role, content, reasoning = "", toolCallId = "" } = message;
    if (!ROLES.includes(role)) {
      const wrong = typeof role === "string" ? outOfRange : wrongType;
      throw wrong(`${where}.role`, `expected ${ROLES.join(", ")}, got ${shown(role)}.`);
    }
    const texts = { content, reasoning, name: message.name ?? "", toolCallId };
    for (const [field, value] of Object.entries(texts)) checkText(value, `${where}.${field}`);
    if (role === "tool" && toolCallId === "")
      throw wrongType(
        `${where}.toolCallId`,
        `expected the id of the call, got ${shown(message.toolCallId)}.`,
      );
    checkCalls(message, where);
    refuseOthers(message as object as Given, FIELDS, `${where}.`);
  }
}

function checkCalls({ role, toolCalls }: Message, where: string): void {
  if (toolCalls === undefined) return;
  if (!Array.isArray(toolCalls) || (role !== "assistant" && toolCalls.length > 0))
    throw wrongType(
      `${where}.toolCalls`,
      `expected a list of { id, name, arguments } of an assistant, got ${shown(toolCalls)}.`,
    );
  for (const [i, call] of toolCalls.entries()) {
    const each = `${where}.toolCalls[${i}]`;
    if (typeof call !== "object" || call === null)
      throw wrongType(each, `expected { id, name, arguments }, got ${shown(call)}.`);
    for (const name of CALL_FIELDS) checkText(call[name], `${each}.${name}`);
    refuseOthers(call as object as Given, CALL_FIELDS, `${each}.`);
  }
}

function checkText(value: unknown, where: string): void {
  if (typeof value !== "string") throw wrongType(where, `expected a text, got ${shown(value)}.`);
}
