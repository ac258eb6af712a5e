// The list of conversations.
import { html, nothing, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";
import { ref } from "lit/directives/ref.js";
import { repeat } from "lit/directives/repeat.js";
import type { Conversation } from "../conversation.ts";
import type { Page } from "../page.ts";
import { type Title, title, titles, wholeTitle } from "../titles.ts";
import { icons } from "./icons.ts";
import { openTransferDialog } from "./transfer.ts";

export function listView(page: Page): TemplateResult {
  const { conversations, list } = page;
  const { all } = conversations;
  const search = ({ target }: Event): void => {
    list.query = (target as HTMLInputElement).value;
  };
  const current = page.place === "chat" ? page.conversation?.id : undefined;
  return html`
    <nav id="conversations" aria-label="Conversations" class=${page.listOpen ? "open" : page.listAway ? "away" : ""}>
      <button type="button" class="wide" @click=${() => page.show(undefined)}>${icons.add} New conversation</button>
      ${conversations.problem ? html`<p class="note" role="alert">${conversations.problem}</p>` : nothing}
      <input
        id="search"
        type="search"
        aria-label="Search conversations"
        placeholder="Search"
        ?hidden=${all.length === 0 && !list.query}
        .value=${list.query}
        @input=${search}
      />
      ${list.deleted ? deletedView(page, list.deleted) : nothing}
      ${guard([all, list.query, list.renaming, current], () => entries(page, current))}
      <div class="list-foot">
        <button type="button" class="plain small" @click=${openTransferDialog}>Export, import</button>
        <p class="note">${whereTo(page)}</p>
      </div>
    </nav>`;
}

function entries(page: Page, current: string | undefined): TemplateResult {
  const { list, conversations } = page;
  const { found } = list;
  const names = titles(conversations.all);
  const none = list.query && found.length === 0;
  return html`
    <ul>
      ${repeat(
        found,
        ({ id }) => id,
        (each) => {
          const name = names.get(each.id) ?? { text: title(each) };
          return list.renaming === each.id
            ? renameView(page, each)
            : entry(page, each, name, each.id === current);
        },
      )}
    </ul>
    <p class="note" role="status" ?hidden=${!none}>${none ? "No conversation has all these words." : ""}</p>`;
}

const deletedView = (page: Page, deleted: Conversation): TemplateResult => html`
  <div class="deleted" role="status">
    <span>Deleted “${title(deleted)}”.</span>
    <button type="button" class="small" id="undo" @click=${() => page.show(page.list.undo()?.id)}>Undo</button>
    <button type="button" class="plain small" aria-label="Dismiss" @click=${() => page.list.forget()}>${icons.close}</button>
  </div>`;

function whereTo({ session: { choice } }: Page): string {
  return choice.kind === "server"
    ? `Conversations are kept in this browser. ${new URL(choice.address).host} answers them.`
    : "Conversations stay in this browser. Nothing you write leaves it.";
}

function entry(page: Page, conversation: Conversation, name: Title, isCurrent: boolean): TemplateResult {
  const whole = wholeTitle(name);
  return html`
    <li class=${isCurrent ? "current" : ""}>
      <button
        type="button"
        class="plain title"
        title=${whole}
        aria-current=${isCurrent ? "true" : nothing}
        @click=${() => page.show(conversation.id)}
      >
        <span class="words">${name.text}</span>${name.when ? html` <span class="when">${name.when}</span>` : nothing}
      </button>
      <button
        type="button"
        class="plain small"
        id=${`rename-${conversation.id}`}
        aria-label=${`Rename “${whole}”`}
        title="Rename"
        @click=${() => page.list.startRename(conversation.id)}
      >
        ${icons.edit}
      </button>
      <button
        type="button"
        class="plain small"
        aria-label=${`Delete “${whole}”`}
        title="Delete"
        @click=${() => page.delete(conversation)}
      >
        ${icons.remove}
      </button>
    </li>`;
}

function renameView({ list }: Page, conversation: Conversation): TemplateResult {
  const end = (target: EventTarget | null, isKept: boolean): void => {
    list.endRename(isKept ? (target as HTMLInputElement).value : undefined);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
    // Escape would also stop an answer.
    event.stopPropagation();
    end(event.target, event.key === "Enter");
    requestAnimationFrame(() => document.getElementById(`rename-${conversation.id}`)?.focus());
  };
  return html`
    <li>
      <input
        id="renamed"
        type="text"
        aria-label="Title of the conversation"
        maxlength="120"
        .value=${title(conversation)}
        ${ref(select)}
        @keydown=${onKey}
        @blur=${({ target }: Event) => end(target, true)}
      />
    </li>`;
}

/** The same function for every render, so lit calls it once for an element. */
function select(field?: Element): void {
  // It must be in the page first.
  queueMicrotask(() => field instanceof HTMLInputElement && field.select());
}
