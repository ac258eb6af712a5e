// The app as the views see it: its state, and what a visitor can do. app.ts implements it.
import type { Adapters } from "./adapters.ts";
import type { Answering } from "./answering.ts";
import type { Attached } from "./attached.ts";
import type { Conversation, Turn } from "./conversation.ts";
import type { ConversationList } from "./conversation-list.ts";
import type { Conversations } from "./conversations.ts";
import type { Choice } from "./engine.ts";
import type { Preflight } from "./preflight.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
import type { StoredModels } from "./stored-models.ts";
import type { Remedy } from "./trouble.ts";

export type Place = "chat" | "models";

export interface Page {
  readonly settings: Settings;
  readonly conversations: Conversations;
  readonly list: ConversationList;
  readonly session: Session;
  readonly adapters: Adapters;
  readonly answering: Answering;
  /** The text files of the message that is being written. */
  readonly attached: Attached;
  readonly preflight: Preflight;
  readonly storedModels: StoredModels;
  readonly place: Place;
  /** The conversation that is shown; undefined for a new one. */
  readonly conversation: Conversation | undefined;
  /** Index of the turn that is being edited. */
  readonly editing: number | undefined;
  /** Whether the list of conversations is open, on a narrow screen. */
  readonly listOpen: boolean;
  /** Whether it is hidden, on a wide screen. */
  readonly listAway: boolean;
  readonly inspecting: boolean;
  go(place: Place): void;
  show(conversation: string | undefined): void;
  toggleList(open?: boolean): void;
  toggleInspect(): void;
  openSettings(): void;
  send(text: string): void;
  startEdit(index: number | undefined): void;
  /** Replaces the turn by `text`, removes all later turns, and starts an answer. */
  resend(index: number, text: string): void;
  /** The results of the last answer's calls: the answer goes on. */
  sendResults(results: readonly Turn[]): void;
  regenerate(): void;
  /** Undone by `list.undo`. */
  delete(conversation: Conversation): void;
  /** Shows what a model needs before loading it. */
  choose(choice: Choice): void;
  remedy(remedy: Remedy): void;
}
