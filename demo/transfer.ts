// Conversations as files: JSON, which import reads back, and Markdown.
import { type Conversation, conversationOf } from "./conversation.ts";
import { fenced } from "./text-files.ts";
import { title } from "./titles.ts";

const FORMAT = "sirocco-conversations";
const VERSION = 1;
/** More than a browser keeps for a site in localStorage. */
const MOST_BYTES = 32e6;

export const toJson = (conversations: readonly Conversation[]): string =>
  `${JSON.stringify({ format: FORMAT, version: VERSION, conversations }, undefined, 2)}\n`;

export function toMarkdown(conversation: Conversation): string {
  const parts = conversation.turns.map(({ role, content, thought, toolCalls = [], facts }) => {
    if (role === "tool") return `## Result\n\n${fenced(content, "")}\n`;
    const adapted = facts?.adapter === undefined ? "" : ` with ${facts.adapter}`;
    const speaker = role === "user" ? "You" : `${facts?.model ?? "Answer"}${adapted}`;
    const thinking = thought ? [thought.text.trim().replace(/^/gm, "> ")] : [];
    const calls = toolCalls.map((call) => `Calls \`${call.name}\`:\n\n${fenced(call.arguments, "json")}`);
    const said = content.trim() || calls.length === 0 ? [content.trim()] : [];
    return `## ${speaker}\n\n${[...thinking, ...said, ...calls].join("\n\n")}\n`;
  });
  return [`# ${title(conversation)}\n`, ...parts].join("\n");
}

/** "a-cat-named-tom.md" */
export function fileName(name: string, ending: string): string {
  const words =
    name
      .normalize("NFKD")
      .replace(/\p{M}/gu, "")
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return `${[...words.join("-")].slice(0, 60).join("") || "conversation"}.${ending}`;
}

export interface Imported {
  /** Those that are new, oldest first. */
  readonly added: readonly Conversation[];
  /** The number of those that are here already. */
  readonly known: number;
  /** The number of those that are no conversations. */
  readonly refused: number;
}

/**
 * Reads a file that `toJson` wrote.
 * @throws Error with a message for the visitor
 */
export function fromJson(text: string, here: readonly Conversation[]): Imported {
  const entries = entriesOf(text);
  const said = new Set(here.map(sayings));
  const ids = new Set(here.map(({ id }) => id));
  const read = entries.map(conversationOf);
  const added: Conversation[] = [];
  for (const each of read) {
    if (!each || said.has(sayings(each))) continue;
    said.add(sayings(each));
    // Another version of one that is here is kept beside it.
    const id = ids.has(each.id) ? crypto.randomUUID() : each.id;
    ids.add(id);
    added.push({ ...each, id });
  }
  const refused = read.filter((each) => each === undefined).length;
  return {
    added: added.sort((a, b) => a.updated - b.updated),
    known: read.length - refused - added.length,
    refused,
  };
}

function entriesOf(text: string): readonly unknown[] {
  if (text.length > MOST_BYTES) throw new Error(tooLarge);
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    throw new Error("The file is not JSON. Choose a file that Export wrote as JSON.");
  }
  const { format, version, conversations } = Object(value) as Record<string, unknown>;
  if (format !== FORMAT || !Array.isArray(conversations))
    throw new Error("The file has no conversations of Sirocco. Choose a file that Export wrote as JSON.");
  if (version !== VERSION)
    throw new Error(
      `The file has version ${version} of the format, and this page reads ${VERSION}. Reload the page for a newer one.`,
    );
  return conversations;
}

const tooLarge = `The file is larger than ${MOST_BYTES / 1e6} MB, which is more than a browser keeps.`;

/** @throws Error with a message for the visitor */
export async function textOf(file: File): Promise<string> {
  if (file.size > MOST_BYTES) throw new Error(tooLarge);
  return file.text();
}

/** What was said, without when. */
const sayings = ({ turns }: Conversation): string =>
  JSON.stringify(turns.map(({ role, content, toolCalls }) => [role, content, toolCalls]));
