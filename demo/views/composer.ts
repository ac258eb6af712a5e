// The message field. Enter sends, Shift+Enter starts a new line. (app.ts handles Escape, which stops an
// answer.)
import { html, type TemplateResult } from "lit";
import type { Page } from "../page.ts";
import { attachButton, attachedView, pasteFiles } from "./attached.ts";
import { icons } from "./icons.ts";

export function composerView(page: Page): TemplateResult {
  const { live } = page.answering;
  const send = (event: Event): void => {
    event.preventDefault();
    const field = document.querySelector("#message") as HTMLTextAreaElement;
    if (live || (!field.value.trim() && page.attached.files.length === 0)) return;
    page.send(page.attached.take(field.value));
    field.value = "";
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  };
  return html`
    ${attachedView(page)}
    <form class="composer" @submit=${send}>
      ${attachButton(page)}
      <label class="sr-only" for="message">Message</label>
      <textarea id="message" rows="1" placeholder="Write a message" enterkeyhint="send" @keydown=${onKey}
        @paste=${(event: ClipboardEvent) => pasteFiles(page, event)}></textarea>
      ${
        live
          ? html`<button type="button" class="primary round" aria-label="Stop" title="Stop (Escape)"
              @click=${() => page.answering.stop()}>${icons.stop}</button>`
          : html`<button type="submit" class="primary round" aria-label="Send" title="Send (Enter)">${icons.send}</button>`
      }
    </form>`;
}
