// What a visitor does with the list of conversations: search, rename, delete with undo, export, import.
import type { Conversation } from "./conversation.ts";
import type { Conversations } from "./conversations.ts";
import { Observable } from "./observable.ts";
import { matching, title } from "./titles.ts";
import { fileName, fromJson, textOf, toJson, toMarkdown } from "./transfer.ts";

export class ConversationList extends Observable {
  readonly #conversations: Conversations;
  #query = "";
  #renaming: string | undefined;
  #deleted: Conversation | undefined;
  #told: { readonly text: string; readonly isProblem: boolean } | undefined;

  constructor(conversations: Conversations) {
    super();
    this.#conversations = conversations;
  }

  get query(): string {
    return this.#query;
  }

  set query(query: string) {
    this.#query = query;
    this.changed();
  }

  /** Those that match the query, newest first. */
  get found(): readonly Conversation[] {
    return matching(this.#conversations.all, this.#query);
  }

  /** The id of the conversation whose title is being written. */
  get renaming(): string | undefined {
    return this.#renaming;
  }

  /** The last one that was deleted, until `forget` or `undo`. */
  get deleted(): Conversation | undefined {
    return this.#deleted;
  }

  /** What the last import did. */
  get told(): { readonly text: string; readonly isProblem: boolean } | undefined {
    return this.#told;
  }

  startRename(id: string): void {
    this.#renaming = id;
    this.changed();
  }

  /** @param title undefined: it stays as it was */
  endRename(title?: string): void {
    const id = this.#renaming;
    if (id === undefined) return;
    this.#renaming = undefined;
    if (title !== undefined) this.#conversations.rename(id, title);
    this.changed();
  }

  delete(conversation: Conversation): void {
    this.#deleted = conversation;
    this.#conversations.delete(conversation.id);
    this.changed();
  }

  undo(): Conversation | undefined {
    const deleted = this.#deleted;
    if (deleted && this.#conversations.add(deleted)) this.#deleted = undefined;
    this.changed();
    return deleted;
  }

  forget(): void {
    this.#deleted = undefined;
    this.changed();
  }

  saveAs(ending: "json" | "md", conversation?: Conversation): void {
    const { all } = this.#conversations;
    const name = conversation ? title(conversation) : "sirocco conversations";
    const text =
      ending === "md" && conversation
        ? toMarkdown(conversation)
        : toJson(conversation ? [conversation] : all);
    save(fileName(name, ending), text, ending === "md" ? "text/markdown" : "application/json");
  }

  async import(file: File): Promise<void> {
    try {
      const { added, known, refused } = fromJson(await textOf(file), this.#conversations.all);
      const fitting = added.filter((each) => this.#conversations.add(each)).length;
      const lost = added.length - fitting;
      const parts = [
        `Imported: ${fitting}.`,
        known > 0 ? `Already here: ${known}.` : "",
        refused > 0 ? `Not conversations: ${refused}.` : "",
        lost > 0 ? `No room in this browser: ${lost}. Delete others and import the file again.` : "",
      ];
      this.#told = { text: parts.filter(Boolean).join(" "), isProblem: refused + lost > 0 };
    } catch (error) {
      this.#told = { text: error instanceof Error ? error.message : String(error), isProblem: true };
    }
    this.changed();
  }
}

function save(name: string, text: string, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  // The browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
