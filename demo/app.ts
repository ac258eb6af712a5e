// <sirocco-app>: the state of the page and what a visitor can do. The views render it.
import { html, LitElement, nothing } from "lit";
import { Adapters } from "./adapters.ts";
import { Announcer } from "./announcer.ts";
import { Answering } from "./answering.ts";
import { Attached } from "./attached.ts";
import type { Conversation, Turn } from "./conversation.ts";
import { ConversationList } from "./conversation-list.ts";
import { Conversations } from "./conversations.ts";
import { type Choice, EMBEDDED, hasFiles } from "./engine.ts";
import { Inspector } from "./inspector.ts";
import { asksForSheet, type Command, commandOf, isTypedInto, onMac } from "./keyboard.ts";
import { lastModel, rememberModel } from "./last-model.ts";
import type { Page, Place } from "./page.ts";
import { Preflight } from "./preflight.ts";
import { Session } from "./session.ts";
import { Settings } from "./settings.ts";
import { StoredModels } from "./stored-models.ts";
import { isDark } from "./theme.ts";
import type { Remedy } from "./trouble.ts";
import { chatView, scrollToEnd } from "./views/chat.ts";
import { headerView } from "./views/header.ts";
import { listView } from "./views/list.ts";
import { modelsView } from "./views/models.ts";
import { preflightView } from "./views/preflight.ts";
import { openSettingsDialog, settingsView } from "./views/settings.ts";
import { openShortcuts, shortcutsView } from "./views/shortcuts.ts";
import { transferView } from "./views/transfer.ts";

export class App extends LitElement implements Page {
  readonly settings = new Settings();
  readonly conversations = new Conversations();
  readonly list = new ConversationList(this.conversations);
  readonly #contextLength = () => this.settings.values.contextLength;
  readonly session = new Session(this.#contextLength);
  readonly adapters = new Adapters(this.session);
  readonly answering = new Answering(this.conversations, this.session, this.settings, this.adapters);
  readonly attached = new Attached();
  readonly preflight = new Preflight(this.#contextLength);
  readonly storedModels = new StoredModels();
  place: Place = "chat";
  editing: number | undefined;
  listOpen = false;
  listAway = false;
  #shown: string | undefined;
  readonly #inspector = new Inspector(this.session, this.answering);
  readonly #announcer = new Announcer();
  /** The status that was announced last. */
  #announced = "";
  /** At the last update. */
  #wasAnswering = false;

  /** No shadow root: one style sheet for all, and labels that refer to their fields. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const kept = [this.settings, this.conversations, this.list, this.storedModels];
    const running = [this.session, this.adapters, this.answering, this.#inspector];
    for (const each of [...kept, ...running, this.attached, this.preflight])
      each.watch(() => this.requestUpdate());
    this.session.watch(() => this.#announceSession());
    this.answering.watch(() => this.#announceAnswer());
    addEventListener("hashchange", () => this.#readAddress());
    for (const each of [isDark, isNarrow]) each.addEventListener("change", () => this.requestUpdate());
    addEventListener("keydown", (event) => this.#onKey(event));
    this.addEventListener("announce", (event) => this.#announcer.say((event as CustomEvent<string>).detail));
    this.#readAddress();
    void this.#begin();
  }

  #onKey(event: KeyboardEvent): void {
    const isMac = onMac();
    const inDialog = this.querySelector("dialog[open]") !== null;
    // In a dialog, Escape closes the dialog.
    if (event.key === "Escape" && !inDialog) this.#escape();
    if (event.isComposing || event.repeat) return;
    const command = inDialog ? undefined : commandOf(event, isMac);
    if (command) this.#commands[command]();
    else if (asksForSheet(event, isMac, isTypedInto(event.target))) openShortcuts();
    else return;
    event.preventDefault();
  }

  readonly #commands: Readonly<Record<Command, () => void>> = {
    new: () => this.show(undefined),
    message: () => this.show(this.#shown),
    copy: () => {
      const buttons = this.querySelectorAll<HTMLElement>("article.assistant > footer copy-button button");
      [...buttons].at(-1)?.click();
    },
    search: () => {
      this.listAway = false;
      this.toggleList(true);
      void this.#afterUpdate(() => focus("#search"));
    },
    list: () => {
      if (isNarrow.matches) return this.toggleList();
      this.listAway = !this.listAway;
      this.requestUpdate();
    },
    settings: () => this.openSettings(),
    inspect: () => this.toggleInspect(),
  };

  async #begin(): Promise<void> {
    const { choice, choices } = await lastModel();
    await this.session.load(choice, choices);
  }

  get conversation(): Conversation | undefined {
    return this.conversations.get(this.#shown);
  }

  get inspecting(): boolean {
    return this.#inspector.open;
  }

  go(place: Place): void {
    location.hash = place === "models" ? "#models" : this.#shown ? `#${this.#shown}` : "";
  }

  show(conversation: string | undefined): void {
    this.#shown = conversation;
    this.editing = undefined;
    this.toggleList(false);
    this.place = "chat";
    history.replaceState(null, "", conversation ? `#${conversation}` : location.pathname + location.search);
    this.requestUpdate();
    void this.#afterUpdate(() => {
      scrollToEnd(true);
      focus("#message");
    });
  }

  toggleList(open = !this.listOpen): void {
    this.listOpen = open;
    this.requestUpdate();
  }

  /** Closes what covers the chat on a narrow screen, or else stops the answer. */
  #escape(): void {
    if (this.listOpen) {
      this.toggleList(false);
      void this.#afterUpdate(() => focus("#list-button"));
    } else if (this.inspecting && isNarrow.matches) {
      this.toggleInspect();
      void this.#afterUpdate(() => focus("#inspect-button"));
    } else this.answering.stop();
  }

  toggleInspect(): void {
    void this.#inspector.toggle(() => this.querySelector<HTMLElement>("#inspect"));
  }

  openSettings(): void {
    openSettingsDialog();
  }

  send(text: string): void {
    if (!text.trim() || this.answering.live) return;
    const turns = this.conversation?.turns ?? [];
    // A question without an answer is replaced by the next one, since roles must alternate.
    const kept = turns.at(-1)?.role === "assistant" ? turns : turns.slice(0, lastQuestion(turns));
    this.#ask([...kept, { role: "user", content: text }]);
  }

  startEdit(index: number | undefined): void {
    const before = this.editing;
    this.editing = index;
    this.requestUpdate();
    void this.#afterUpdate(() => focus(index === undefined ? `#edit-${before}` : "#edited"));
  }

  resend(index: number, text: string): void {
    const turns = this.conversation?.turns;
    if (!turns || !text.trim() || this.answering.live) return;
    this.editing = undefined;
    this.#ask([...turns.slice(0, index), { role: "user", content: text }]);
    void this.#afterUpdate(() => focus("#message"));
  }

  sendResults(results: readonly Turn[]): void {
    const turns = this.conversation?.turns;
    if (!turns || this.answering.live) return;
    this.#ask([...turns, ...results]);
    void this.#afterUpdate(() => focus("#message"));
  }

  regenerate(): void {
    const turns = this.conversation?.turns;
    if (!turns || this.answering.live) return;
    this.#ask(turns.slice(0, turns.findLastIndex(({ role }) => role !== "assistant") + 1));
  }

  delete(conversation: Conversation): void {
    if (this.answering.live?.conversation === conversation.id) this.answering.stop();
    if (conversation.id === this.#shown) {
      this.#shown = undefined;
      history.replaceState(null, "", location.pathname + location.search);
    }
    this.list.delete(conversation);
    void this.#afterUpdate(() => focus("#undo"));
  }

  choose(choice: Choice): void {
    if (hasFiles(choice)) return void this.preflight.open(choice);
    void this.session.load(choice);
    this.show(this.#shown);
  }

  remedy(remedy: Remedy): void {
    const { conversation } = this;
    const { choice } = this.session;
    const remedies: Readonly<Record<Remedy, () => unknown>> = {
      retry: () => this.session.reload(),
      "take-over": () => this.session.reload({ takeOver: true }),
      "keep-nothing": () => this.session.reload({ store: false }),
      models: () => this.go("models"),
      embedded: () => this.session.load(EMBEDDED),
      preflight: () => (hasFiles(choice) ? this.preflight.open(choice) : this.go("models")),
      "new-conversation": () => this.show(undefined),
      "without-system": () => {
        this.settings.set({ system: "" });
        this.regenerate();
      },
      "without-tools": () => {
        this.settings.set({ toolsOn: false });
        this.regenerate();
      },
      "continue-text": () => conversation && this.answering.continueText(conversation),
    };
    remedies[remedy]();
    // The button may be gone, and with it the focus.
    void this.#afterUpdate(() => document.activeElement === document.body && focus("#message"));
  }

  #ask(turns: readonly Turn[]): void {
    const id = this.answering.ask(turns, this.#shown);
    this.#shown = id;
    history.replaceState(null, "", `#${id}`);
    void this.#afterUpdate(() => scrollToEnd(true));
  }

  #readAddress(): void {
    const name = location.hash.slice(1);
    this.place = name === "models" ? "models" : "chat";
    if (this.place === "models") {
      void this.storedModels.refresh();
      this.toggleList(false);
      void this.#afterUpdate(() => focus("#models-title"));
    } else this.#shown = this.conversations.get(name)?.id;
    this.requestUpdate();
  }

  #announceSession(): void {
    const { state, name, choice } = this.session;
    const restoring = state.kind === "ready" && state.restoring !== undefined;
    if (state.kind === "ready" && !restoring) {
      rememberModel(choice);
      if (this.place === "models") void this.storedModels.refresh();
    }
    const stage = state.kind === "loading" ? state.progress?.stage : undefined;
    const stages = { download: "downloading", tune: "measuring the GPU", load: "loading" } as const;
    const status = restoring
      ? "The GPU went away. The model is loaded again; then the answer continues."
      : state.kind === "ready"
        ? `${name} is ready.`
        : state.kind === "loading"
          ? `${name}: ${stages[stage ?? "load"]}.`
          : "";
    if (status && status !== this.#announced) this.#announcer.say(status);
    this.#announced = status;
  }

  #announceAnswer(): void {
    const { latest, live } = this.answering;
    if (!latest) return;
    this.#announcer.follow(String(latest.started), latest.text, live === undefined);
    if (live === undefined && this.#wasAnswering)
      for (const { name } of latest.calls) this.#announcer.say(`The answer calls ${name}.`);
  }

  async #afterUpdate(then: () => void): Promise<void> {
    await this.updateComplete;
    then();
  }

  protected override updated(): void {
    const { theme } = this.settings.values;
    document.documentElement.dataset["theme"] = theme;
    // What the list or Inspect covers takes no focus.
    const isCovered = isNarrow.matches && (this.listOpen || this.inspecting);
    this.querySelector("main")?.toggleAttribute("inert", isCovered);
    const isAnswering = this.answering.live !== undefined;
    // At the end of an answer its buttons and the context meter appear.
    if (isAnswering || this.#wasAnswering) scrollToEnd(false);
    this.#wasAnswering = isAnswering;
  }

  protected override render() {
    return html`
      ${
        this.place === "chat"
          ? html`<a class="skip" href="#message" @click=${skipToMessage}>Skip to the message field</a>`
          : nothing
      }
      ${headerView(this)}
      <div class="columns">
        ${listView(this)}
        ${this.place === "models" ? modelsView(this) : chatView(this)}
        ${this.listOpen ? html`<div class="beside" @click=${() => this.toggleList(false)}></div>` : nothing}
        <aside class="inspect" aria-label="Inspect" ?hidden=${!this.inspecting}>
          <button type="button" class="only-narrow" @click=${() => this.toggleInspect()}>Back to the chat</button>
          ${
            this.session.choice.kind === "server"
              ? html`<p class="note">This model runs on a server. Inspect shows models that run in this browser.</p>`
              : nothing
          }
          <div id="inspect"></div>
        </aside>
      </div>
      ${preflightView(this)} ${settingsView(this)} ${transferView(this)} ${shortcutsView()}`;
  }
}

/** As in style/layout.css. */
const isNarrow = matchMedia("(max-width: 760px)");

/** Where the last question is. An answer may have called tools after it. */
const lastQuestion = (turns: readonly Turn[]): number =>
  Math.max(
    0,
    turns.findLastIndex(({ role }) => role === "user"),
  );

const focus = (selector: string): void => document.querySelector<HTMLElement>(selector)?.focus();

function skipToMessage(event: Event): void {
  event.preventDefault();
  focus("#message");
}
