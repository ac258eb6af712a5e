// The messages of a chat and the slash commands that change them.
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Message } from "./engine.ts";
import { errorMessage } from "./errors.ts";
import { readTextFile } from "./input.ts";

const HELP = `/help           this list
/clear          forget the conversation, keep the system message
/system <text>  set the system message; without text, remove it
/think          show what the model thinks, or hide it again
/save <file>    write the messages as JSON
/load <file>    go on with messages that /save wrote
/exit           leave, as Ctrl-D and Ctrl-C twice do
A line that ends with \\ continues in the next one; """ begins and ends several lines.
Ctrl-C clears what is typed, or stops an answer.`;

const COMMANDS = ["help", "clear", "system", "think", "save", "load", "exit"];

export class Conversation {
  /** Whether what the model thinks is shown. */
  showsThinking: boolean;
  #system: string | undefined;
  #turns: Message[] = [];
  /** Files that this chat wrote. Only these may be overwritten. */
  readonly #saved = new Set<string>();

  constructor(system?: string, showsThinking = false) {
    this.#system = system;
    this.showsThinking = showsThinking;
  }

  get messages(): readonly Message[] {
    return this.#system === undefined
      ? this.#turns
      : [{ role: "system", content: this.#system }, ...this.#turns];
  }

  ask(content: string): void {
    this.#turns.push({ role: "user", content });
  }

  /** Keeps an answer, whole or stopped. Roles must alternate, so a question without an answer is removed. */
  answer(content: string, reasoning: string): void {
    if (content === "") this.#turns.pop();
    else this.#turns.push({ role: "assistant", content, ...(reasoning !== "" && { reasoning }) });
  }

  /** Runs a slash command. @returns its reply, or "quit" */
  async command(line: string): Promise<string> {
    const [, name, argument] = /^\/(\S*)\s*(.*)$/s.exec(line.trim()) as unknown as [string, string, string];
    switch (name) {
      case "help":
        return HELP;
      case "quit":
      case "exit":
        return "quit";
      case "clear":
      case "reset":
        this.#turns = [];
        return "The conversation is forgotten.";
      case "system":
        this.#system = argument || undefined;
        return argument ? "The system message is set." : "The system message is removed.";
      case "think":
        this.showsThinking = !this.showsThinking;
        return this.showsThinking ? "What the model thinks is shown." : "What the model thinks is hidden.";
      case "save":
        return argument ? await this.#save(argument) : "/save: expected a file, as in /save chat.json";
      case "load":
        return argument ? await this.#load(argument) : "/load: expected a file, as in /load chat.json";
      default:
        return unknown(name);
    }
  }

  /** Replaces the messages. A last question without an answer is left out. */
  async #load(name: string): Promise<string> {
    try {
      const messages: unknown = JSON.parse(await readTextFile(resolve(name), "/load"));
      if (!Array.isArray(messages) || !messages.every(isMessage))
        return `/load: ${name} holds no messages as /save writes them.`;
      const [first] = messages;
      this.#system = first?.role === "system" ? first.content : undefined;
      this.#turns = messages.slice(first?.role === "system" ? 1 : 0);
      if (this.#turns.at(-1)?.role === "user") this.#turns.pop();
      return `${this.messages.length} messages read from ${name}.`;
    } catch (error) {
      return error instanceof SyntaxError ? `/load: ${name} is no JSON.` : errorMessage(error);
    }
  }

  async #save(name: string): Promise<string> {
    const file = resolve(name);
    try {
      const flag = this.#saved.has(file) ? "w" : "wx";
      await writeFile(file, `${JSON.stringify(this.messages, null, 2)}\n`, { flag });
      this.#saved.add(file);
      return `${this.messages.length} messages written to ${name}.`;
    } catch (error) {
      const exists = (error as NodeJS.ErrnoException).code === "EEXIST";
      return exists ? `/save: ${name} exists already. Choose another name.` : `/save: ${errorMessage(error)}`;
    }
  }
}

function isMessage(value: unknown): value is Message {
  const { role, content } = Object(value) as Partial<Message>;
  return typeof content === "string" && ["system", "user", "assistant"].includes(role as string);
}

/** Names the command that begins alike. */
function unknown(name: string): string {
  const near = COMMANDS.find(
    (each) => name !== "" && (each.startsWith(name.slice(0, 2)) || name.startsWith(each)),
  );
  return `/${name}: no such command.${near ? ` Did you mean /${near}?` : ""} /help lists them.`;
}
