// What a line that begins with a slash does in a chat.
import { readdirSync } from "node:fs";
import { basename } from "node:path";
import type { Conversation } from "./conversation.ts";
import { table } from "./format.ts";
import { type Settings, settingNames } from "./settings.ts";

const COMMANDS: readonly (readonly [usage: string, text: string])[] = [
  ["/help", "this list"],
  ["/clear", "forget the conversation, keep the system message"],
  ["/system <text>", "set the system message; without text, remove it"],
  ["/set", "list the settings of answers: temperature, max-tokens…"],
  ["/set <name> <x>", "set one to x; without x, to what it was when the chat began"],
  ["/show", "model, adapter, context, system message and settings"],
  ["/think", "show what the model thinks, or hide it again"],
  ["/save <file>", "write the messages as JSON"],
  ["/load <file>", "go on with messages that /save wrote"],
  ["/exit", "leave, as Ctrl-D and Ctrl-C twice do"],
];

const HELP = `${table(COMMANDS)}The Tab key completes commands, settings and files.
A line that ends with \\ continues in the next one; """ begins and ends several lines. A paste of several lines is one message.
Ctrl-C clears what is typed, or stops an answer.`;

const NAMES = [...new Set(COMMANDS.map(([usage]) => usage.replace(/ .*/, "")))];

/**
 * Whether what was typed is a command. Several lines are a message, unless they are a system message: a text
 * that is pasted may begin with a slash.
 */
export const isCommand = (typed: string): boolean => /^\/(system\s|.*$)/.test(typed);

export class ChatCommands {
  readonly #conversation: Conversation;
  readonly #settings: Settings;
  readonly #about: Readonly<Record<string, string>>;

  /** @param about facts about the model, for /show */
  constructor(conversation: Conversation, settings: Settings, about: Readonly<Record<string, string>>) {
    this.#conversation = conversation;
    this.#settings = settings;
    this.#about = about;
  }

  /** Runs a command. @returns its reply, or "quit" */
  async run(line: string): Promise<string> {
    const [, name, argument] = /^\/(\S*)\s*(.*)$/s.exec(line.trim()) as unknown as [string, string, string];
    const conversation = this.#conversation;
    switch (name) {
      case "help":
        return HELP;
      case "quit":
      case "exit":
        return "quit";
      case "clear":
      case "reset":
        conversation.clear();
        return "The conversation is forgotten.";
      case "system":
        conversation.system = argument || undefined;
        return argument ? "The system message is set." : "The system message is removed.";
      case "set":
        return this.#set(argument);
      case "show":
        return this.#show();
      case "think":
        conversation.showsThinking = !conversation.showsThinking;
        return conversation.showsThinking
          ? "What the model thinks is shown."
          : "What the model thinks is hidden.";
      case "save":
        return argument ? await conversation.save(argument) : "/save: expected a file, as in /save chat.json";
      case "load":
        return argument ? await conversation.load(argument) : "/load: expected a file, as in /load chat.json";
      default:
        return unknown(name);
    }
  }

  #set(argument: string): string {
    const [, name, value] = /^(\S*)\s*(.*)$/s.exec(argument) as unknown as [string, string, string];
    return name === "" ? table(this.#settings.rows()).trimEnd() : this.#settings.set(name, value);
  }

  #show(): string {
    const { messages, system = "none" } = this.#conversation;
    const count = messages.filter(({ role }) => role !== "system").length;
    return table([
      ...Object.entries(this.#about),
      ["messages", `${count}`],
      ["system message", system],
      ...this.#settings.rows(),
    ]).trimEnd();
  }
}

/** What the Tab key offers for a line, and the part of it that this replaces: as readline asks. */
export function complete(line: string): [offers: string[], part: string] {
  const [, before, part] = /^(\/set\s+|\/(?:load|save)\s+|)(\S*)$/.exec(line) ?? [];
  if (before === undefined || part === undefined) return [[], line];
  const all = before === "" ? NAMES : before.startsWith("/set") ? settingNames : filesBeside(part);
  return [part === "" && before === "" ? [] : all.filter((each) => each.startsWith(part)), part];
}

/** The files and folders in the folder of a path that is being typed. Hidden ones only after a dot. */
function filesBeside(path: string): string[] {
  const name = path.endsWith("/") ? "" : basename(path);
  const folder = path.slice(0, path.length - name.length);
  try {
    return readdirSync(folder || ".", { withFileTypes: true })
      .filter((entry) => name.startsWith(".") || !entry.name.startsWith("."))
      .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? "/" : ""}`);
  } catch {
    return [];
  }
}

/** Names the command that begins alike. */
function unknown(name: string): string {
  const near = NAMES.map((each) => each.slice(1)).find(
    (each) => name !== "" && (each.startsWith(name.slice(0, 2)) || name.startsWith(each)),
  );
  return `/${name}: no such command.${near ? ` Did you mean /${near}?` : ""} /help lists them.`;
}
