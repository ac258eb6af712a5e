// One turn of a conversation, and the answer in progress.
import { html, nothing, type TemplateResult } from "lit";
import { type LiveAnswer, thoughtSeconds } from "../answering.ts";
import type { Facts, Turn } from "../conversation.ts";
import { duration } from "../format.ts";
import { resultsOf } from "../messages.ts";
import type { Page } from "../page.ts";
import { splitMessage } from "../text-files.ts";
import { sentFiles } from "./attached.ts";
import { callsView, growingCallView } from "./calls.ts";
import { icons } from "./icons.ts";

export function turnView(page: Page, turns: readonly Turn[], index: number): TemplateResult | typeof nothing {
  const turn = turns[index] as Turn;
  // The answer with the calls shows their results.
  if (turn.role === "tool") return nothing;
  const results = resultsOf(turns, index);
  const last = index + results.size === turns.length - 1;
  if (turn.role === "user")
    return page.editing === index ? editView(page, turn, index) : userView(page, turn, index, last);
  const idle = page.answering.live === undefined;
  return html`
    <article class="turn assistant" aria-label="Answer">
      ${turn.thought ? thoughtView(`Thought for ${duration(turn.thought.seconds)}`, turn.thought.text) : nothing}
      ${turn.content || !turn.toolCalls ? html`<markdown-text .text=${turn.content}></markdown-text>` : nothing}
      ${turn.toolCalls ? callsView(page, turn.toolCalls, results, last && idle) : nothing}
      <footer>
        ${turn.content ? html`<copy-button .text=${turn.content}></copy-button>` : nothing}
        ${last && idle ? action("Regenerate", icons.again, () => page.regenerate()) : nothing}
        ${turn.facts ? html`<span class="facts">${factsLine(turn.facts)}</span>` : nothing}
      </footer>
    </article>`;
}

function userView(page: Page, turn: Turn, index: number, last: boolean): TemplateResult {
  const idle = page.answering.live === undefined;
  const { words, files } = splitMessage(turn.content);
  return html`
    <article class="turn user" aria-label="You">
      <div class="message">
        ${words ? html`<p>${words}</p>` : nothing} ${sentFiles(files)}
      </div>
      <footer>
        <copy-button .text=${turn.content}></copy-button>
        ${idle && last ? action("Regenerate", icons.again, () => page.regenerate()) : nothing}
        ${idle ? action("Edit", icons.edit, () => page.startEdit(index), `edit-${index}`) : nothing}
      </footer>
    </article>`;
}

function editView(page: Page, turn: Turn, index: number): TemplateResult {
  const submit = (event: Event): void => {
    event.preventDefault();
    page.resend(index, (document.querySelector("#edited") as HTMLTextAreaElement).value);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "Escape") page.startEdit(undefined);
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
  };
  return html`
    <form class="turn user editing" @submit=${submit}>
      <label class="sr-only" for="edited">Edit your message</label>
      <textarea id="edited" rows="2" .value=${turn.content} @keydown=${onKey}></textarea>
      <footer>
        <button type="submit" class="primary">Resend</button>
        <button type="button" @click=${() => page.startEdit(undefined)}>Cancel</button>
        <span class="facts">Later turns are removed.</span>
      </footer>
    </form>`;
}

/** Closed until somebody opens it. */
const thoughtView = (label: string, text: string): TemplateResult => html`
  <details class="thought">
    <summary>${label}</summary>
    <p>${text}</p>
  </details>`;

export function liveTurnView(page: Page, live: LiveAnswer): TemplateResult {
  const loading = page.session.state.kind !== "ready";
  const seconds = thoughtSeconds(live);
  const thinks = live.thoughtUntil === undefined;
  return html`
    <article class="turn assistant live" aria-label="Answer" aria-busy="true">
      ${
        seconds === undefined
          ? nothing
          : thoughtView(`${thinks ? "Thinking for" : "Thought for"} ${duration(seconds)}`, live.reasoning)
      }
      ${
        live.text
          ? html`<markdown-text .growing=${true} .text=${live.text}></markdown-text>`
          : seconds !== undefined || live.calls.length > 0
            ? nothing
            : html`<p class="waiting">${loading ? "Waiting for the model" : "Reading"}<span class="dots"></span></p>`
      }
      ${live.calls.map(growingCallView)}
      <footer>${
        live.ids.length > 0 ? html`<span class="facts">${live.ids.length} tokens</span>` : nothing
      }</footer>
    </article>`;
}

const action = (label: string, icon: TemplateResult, act: () => void, id?: string): TemplateResult => html`
  <button type="button" class="plain small" id=${id ?? nothing} aria-label=${label} title=${label} @click=${act}>
    ${icon}
  </button>`;

const REASONS = {
  stop: "",
  length: "length limit",
  abort: "stopped",
  "tool-calls": "",
  "content-filter": "withheld",
  broken: "interrupted",
} as const;

function factsLine({ reason, tokens, tokensPerSecond, firstTokenMs, seed, model, adapter }: Facts): string {
  return [
    `${tokens} tokens`,
    tokensPerSecond === undefined ? "" : `${tokensPerSecond.toPrecision(3)} tokens/s`,
    firstTokenMs > 0 ? `first after ${duration(firstTokenMs / 1000)}` : "",
    REASONS[reason],
    `seed ${seed}`,
    model,
    adapter === undefined ? "" : `adapter ${adapter}`,
  ]
    .filter(Boolean)
    .join(" · ");
}
