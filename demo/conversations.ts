// The conversations in this browser. Each has its own key in localStorage, so tabs do not overwrite each
// other's.
import type { Finish } from "./engine.ts";
import { Observable } from "./observable.ts";

/** Facts about an answer. */
export interface Facts {
  readonly model: string;
  /** `broken`: an error ended it. */
  readonly reason: Finish["reason"] | "broken";
  readonly tokens: number;
  readonly firstTokenMs: number;
  readonly tokensPerSecond: number | undefined;
  readonly seed: number;
}

export interface Thought {
  readonly text: string;
  readonly seconds: number;
}

export interface Turn {
  readonly role: "user" | "assistant";
  readonly content: string;
  /** What the model thought before it answered. */
  readonly thought?: Thought;
  readonly facts?: Facts;
}

export interface Conversation {
  readonly id: string;
  readonly updated: number;
  readonly turns: readonly Turn[];
}

const PREFIX = "sirocco.conversation.";

export class Conversations extends Observable {
  #all: Conversation[] = [];
  /** Why the last conversation could not be saved; undefined if it was. */
  problem: string | undefined;

  constructor() {
    super();
    this.#read();
    addEventListener("storage", ({ key }) => {
      if (key !== null && !key.startsWith(PREFIX)) return;
      this.#read();
      this.changed();
    });
  }

  /** Newest first. */
  get all(): readonly Conversation[] {
    return this.#all;
  }

  get(id: string | undefined): Conversation | undefined {
    return this.#all.find((each) => each.id === id);
  }

  /** Saves these turns as the conversation `id`, or as a new one. */
  put(turns: readonly Turn[], id: string = crypto.randomUUID()): Conversation {
    const conversation = { id, updated: Date.now(), turns };
    this.#all = [conversation, ...this.#all.filter((each) => each.id !== id)];
    try {
      localStorage.setItem(PREFIX + id, JSON.stringify(conversation));
      this.problem = undefined;
    } catch {
      this.problem = "This browser has no room for more conversations. Delete some to keep new ones.";
    }
    this.changed();
    return conversation;
  }

  delete(id: string): void {
    this.#all = this.#all.filter((each) => each.id !== id);
    localStorage.removeItem(PREFIX + id);
    this.problem = undefined;
    this.changed();
  }

  #read(): void {
    const keys = Array.from({ length: localStorage.length }, (_, i) => localStorage.key(i) ?? "");
    this.#all = keys
      .filter((key) => key.startsWith(PREFIX))
      .flatMap((key) => parse(localStorage.getItem(key)))
      .sort((a, b) => b.updated - a.updated);
  }
}

/** The first words of the conversation. */
export function title({ turns }: Conversation): string {
  const text = turns[0]?.content.trim().replace(/\s+/g, " ") ?? "";
  return text.length <= 60 ? text || "Empty" : `${text.slice(0, 59)}…`;
}

/** undefined if the stored text is not a conversation of this version. */
function parse(text: string | null): Conversation[] {
  try {
    const kept: Conversation = JSON.parse(text ?? "");
    const whole =
      typeof kept.id === "string" &&
      typeof kept.updated === "number" &&
      kept.turns.every(
        ({ role, content, thought }) =>
          /^(user|assistant)$/.test(role) &&
          typeof content === "string" &&
          (thought === undefined || (typeof thought.text === "string" && Number.isFinite(thought.seconds))),
      );
    return whole ? [kept] : [];
  } catch {
    return [];
  }
}
