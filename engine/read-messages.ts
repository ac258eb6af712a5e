// Checks the messages of a call before a chat template gets them.
import type { Message } from "./api.ts";
import { type Given, refuseOthers } from "./apis/quiet-fields.ts";
import { outOfRange, shown, wrongType } from "./options/parameter.ts";

const FIELDS = new Set(["role", "content", "name", "reasoning"]);
const ROLES: readonly unknown[] = ["system", "user", "assistant"] satisfies Message["role"][];

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
    const { role, content, reasoning = "" } = message;
    if (!ROLES.includes(role)) {
      const wrong = typeof role === "string" ? outOfRange : wrongType;
      throw wrong(`${where}.role`, `expected ${ROLES.join(", ")}, got ${shown(role)}.`);
    }
    for (const [name, value] of Object.entries({ content, reasoning })) {
      if (typeof value !== "string")
        throw wrongType(`${where}.${name}`, `expected a text, got ${shown(value)}.`);
    }
    refuseOthers(message as object as Given, FIELDS, `${where}.`);
  }
}
