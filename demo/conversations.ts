// The conversations in this browser. Each has its own key in localStorage, so tabs do not overwrite each
// other's.
import { type Conversation, conversationOf, LONGEST_TITLE, type Turn } from "./conversation.ts";
import { Observable } from "./observable.ts";

const PREFIX = "sirocco.conversation.";
const FULL =
  "This browser has no room for more conversations. The newest is lost when you close the page: delete others, or export it.";
const FORKED =
  "Another tab continued the same conversation. What this tab has is kept as a conversation of its own.";

export class Conversations extends Observable {
  #all: readonly Conversation[] = [];
  /** Those that the browser had no room for. */
  readonly #unsaved = new Map<string, Conversation>();
  #forked = false;

  constructor() {
    super();
    this.#read();
    addEventListener("storage", ({ key, newValue }) => {
      if (key === null) this.#read();
      else if (key.startsWith(PREFIX)) this.#replace(key.slice(PREFIX.length), parse(newValue));
      else return;
      this.changed();
    });
    addEventListener("beforeunload", (event) => {
      if (this.#unsaved.size > 0) event.preventDefault();
    });
  }

  /** Newest first. Another array after each change. */
  get all(): readonly Conversation[] {
    return this.#all;
  }

  /** What the visitor should know of how they are kept. */
  get problem(): string | undefined {
    return this.#unsaved.size > 0 ? FULL : this.#forked ? FORKED : undefined;
  }

  get(id: string | undefined): Conversation | undefined {
    return this.#all.find((each) => each.id === id);
  }

  /**
   * Saves these turns as the conversation `id`, or as a new one.
   * @param seen `updated` of the conversation that they continue: if it is another one by now, since another
   * tab has continued it, they are saved as a new one
   */
  put(turns: readonly Turn[], id: string = crypto.randomUUID(), seen?: number): Conversation {
    const stored = this.#stored(id);
    const isOther = seen !== undefined && stored !== undefined && stored.updated !== seen;
    if (isOther) this.#forked = true;
    const title = (stored ?? this.get(id))?.title;
    const updated = Math.max(Date.now(), (stored?.updated ?? 0) + 1);
    const conversation = {
      ...{ id: isOther ? crypto.randomUUID() : id, updated, turns },
      ...(title !== undefined && { title }),
    };
    if (isOther) this.#replace(id, stored);
    this.#save(conversation);
    this.changed();
    return conversation;
  }

  /** @param title empty: its first words again */
  rename(id: string, title: string): void {
    const { title: _, ...bare } = this.#stored(id) ?? this.get(id) ?? {};
    if (!("id" in bare)) return;
    const name = title.trim().replace(/\s+/g, " ").slice(0, LONGEST_TITLE);
    this.#save({ ...bare, ...(name && { title: name }) });
    this.changed();
  }

  /** Adds one that was deleted or imported. @returns whether it is saved; if not, it is not added */
  add(conversation: Conversation): boolean {
    const isSaved = this.#write(conversation);
    if (isSaved) this.#replace(conversation.id, conversation);
    this.changed();
    return isSaved;
  }

  delete(id: string): void {
    localStorage.removeItem(PREFIX + id);
    this.#unsaved.delete(id);
    this.#replace(id, undefined);
    this.#forked = false;
    // There may be room by now.
    for (const each of [...this.#unsaved.values()]) this.#save(each);
    this.changed();
  }

  #stored(id: string): Conversation | undefined {
    return this.#unsaved.get(id) ?? parse(localStorage.getItem(PREFIX + id));
  }

  #save(conversation: Conversation): void {
    this.#replace(conversation.id, conversation);
    if (this.#write(conversation)) this.#unsaved.delete(conversation.id);
    else this.#unsaved.set(conversation.id, conversation);
  }

  #write(conversation: Conversation): boolean {
    try {
      localStorage.setItem(PREFIX + conversation.id, JSON.stringify(conversation));
      return true;
    } catch {
      return false;
    }
  }

  #replace(id: string, conversation: Conversation | undefined): void {
    const others = this.#all.filter((each) => each.id !== id);
    this.#all = newestFirst(conversation ? [...others, conversation] : others);
  }

  #read(): void {
    const keys = Array.from({ length: localStorage.length }, (_, i) => localStorage.key(i) ?? "");
    const stored = keys
      .filter((key) => key.startsWith(PREFIX))
      .flatMap((key) => parse(localStorage.getItem(key)) ?? [])
      .filter(({ id }) => !this.#unsaved.has(id));
    this.#all = newestFirst([...stored, ...this.#unsaved.values()]);
  }
}

const newestFirst = (all: readonly Conversation[]): readonly Conversation[] =>
  all.toSorted((a, b) => b.updated - a.updated);

/** undefined if the stored text is not a conversation of this version. */
function parse(text: string | null): Conversation | undefined {
  try {
    return conversationOf(JSON.parse(text ?? ""));
  } catch {
    return undefined;
  }
}
