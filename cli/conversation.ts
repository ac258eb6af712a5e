// The messages of a chat.
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Message } from "./engine.ts";
import { errorMessage } from "./errors.ts";
import { readTextFile } from "./input.ts";

export class Conversation {
  /** Whether what the model thinks is shown. */
  showsThinking: boolean;
  system: string | undefined;
  #turns: Message[] = [];
  /** Files that this chat wrote. Only these may be overwritten. */
  readonly #saved = new Set<string>();

  constructor(system?: string, showsThinking = false) {
    this.system = system;
    this.showsThinking = showsThinking;
  }

  get messages(): readonly Message[] {
    return this.system === undefined
      ? this.#turns
      : [{ role: "system", content: this.system }, ...this.#turns];
  }

  ask(content: string): void {
    this.#turns.push({ role: "user", content });
  }

  /** Keeps an answer, whole or stopped. Roles must alternate, so a question without an answer is removed. */
  answer(content: string, reasoning: string): void {
    if (content === "") this.#turns.pop();
    else this.#turns.push({ role: "assistant", content, ...(reasoning !== "" && { reasoning }) });
  }

  /** Forgets all but the system message. */
  clear(): void {
    this.#turns = [];
  }

  /**
   * Replaces the messages. A last question without an answer is left out.
   * @returns what was done, or what failed
   */
  async load(name: string): Promise<string> {
    try {
      const messages: unknown = JSON.parse(await readTextFile(resolve(name), "/load"));
      if (!Array.isArray(messages) || !messages.every(isMessage))
        return `/load: ${name} holds no messages as /save writes them.`;
      const [first] = messages;
      this.system = first?.role === "system" ? first.content : undefined;
      this.#turns = messages.slice(first?.role === "system" ? 1 : 0);
      if (this.#turns.at(-1)?.role === "user") this.#turns.pop();
      return `${this.messages.length} messages read from ${name}.`;
    } catch (error) {
      return error instanceof SyntaxError ? `/load: ${name} is no JSON.` : errorMessage(error);
    }
  }

  /** Writes the messages as JSON. @returns what was done, or what failed */
  async save(name: string): Promise<string> {
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
