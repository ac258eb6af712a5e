// The conversation and the message field.
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Turn } from "../conversation.ts";
import type { Page } from "../page.ts";
import { dragFiles, dropFiles } from "./attached.ts";
import { composerView } from "./composer.ts";
import { contextView, leftOutView } from "./context.ts";
import { cpuView } from "./cpu.ts";
import { statusView } from "./status.ts";
import { troubleView } from "./trouble.ts";
import { liveTurnView, turnView } from "./turn.ts";
import { welcomeView } from "./welcome.ts";

export function chatView(page: Page): TemplateResult {
  const { conversation, answering } = page;
  const { live } = answering;
  const turns = conversation?.turns ?? [];
  const trouble = answering.troubleOf(conversation?.id);
  return html`
    <main @dragover=${dragFiles} @dragleave=${dragFiles} @drop=${(event: DragEvent) => dropFiles(page, event)}>
      <div id="scroller" tabindex="0" role="region" aria-label="Conversation">
        <div class="turns">
          ${turns.length === 0 ? welcomeView(page) : html`<h2 class="sr-only">Conversation</h2>`}
          ${repeat(
            turns,
            (_, index) => `${conversation?.id} ${index}`,
            (turn, index) =>
              html`${leftOutView(page, turn.leftOut, leftOutBefore(turns, index))}${turnView(page, turns, index)}`,
          )}
          ${
            live && live.conversation === conversation?.id
              ? html`${leftOutView(page, live.leftOut, leftOutBefore(turns, turns.length))}${liveTurnView(page, live)}`
              : nothing
          }
          ${trouble ? troubleView(page, trouble) : nothing}
        </div>
      </div>
      <div class="foot">
        ${statusView(page)} ${composerView(page)} ${contextView(page)} ${cpuView(page)}
      </div>
    </main>`;
}

/** How many turns the answer before the turn `index` did not see. */
const leftOutBefore = (turns: readonly Turn[], index: number): number | undefined =>
  turns.findLast(({ role }, i) => i < index && role === "assistant")?.leftOut;

/** Scrolls to the end, unless the reader has scrolled up. With `jump`, always. */
export function scrollToEnd(jump: boolean): void {
  const scroller = document.querySelector("#scroller");
  if (!scroller) return;
  const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  if (jump || below < 120) scroller.scrollTop = scroller.scrollHeight;
}
