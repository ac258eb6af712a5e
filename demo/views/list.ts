// The list of conversations.
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { type Conversation, title } from "../conversations.ts";
import type { Page } from "../page.ts";
import { icons } from "./icons.ts";

export function listView(page: Page): TemplateResult {
  const { conversations } = page;
  return html`
    <nav id="conversations" aria-label="Conversations" class=${page.listOpen ? "open" : ""}>
      <button type="button" class="wide" @click=${() => page.show(undefined)}>${icons.add} New conversation</button>
      ${conversations.problem ? html`<p class="note" role="alert">${conversations.problem}</p>` : nothing}
      <ul>
        ${repeat(
          conversations.all,
          ({ id }) => id,
          (conversation) => entry(page, conversation),
        )}
      </ul>
      <p class="note">${whereTo(page)}</p>
    </nav>`;
}

function whereTo({ session: { choice } }: Page): string {
  return choice.kind === "server"
    ? `Conversations are kept in this browser. ${new URL(choice.address).host} answers them.`
    : "Conversations stay in this browser. Nothing you write leaves it.";
}

function entry(page: Page, conversation: Conversation): TemplateResult {
  const current = page.place === "chat" && page.conversation?.id === conversation.id;
  return html`
    <li class=${current ? "current" : ""}>
      <button
        type="button"
        class="plain title"
        aria-current=${current ? "true" : nothing}
        @click=${() => page.show(conversation.id)}
      >
        ${title(conversation)}
      </button>
      <button
        type="button"
        class="plain"
        aria-label=${`Delete “${title(conversation)}”`}
        title="Delete"
        @click=${() => page.delete(conversation)}
      >
        ${icons.remove}
      </button>
    </li>`;
}
