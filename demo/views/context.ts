// How much of the model's context the conversation takes, and what an answer did not see.
import { html, nothing, type TemplateResult } from "lit";
import { isLocal } from "../engine.ts";
import type { Page } from "../page.ts";

/** Contexts with as many tokens are not filled: the attention window slides along. */
const ENDLESS = 2 ** 24;

/** After the first answer. */
export function contextView({ conversation, answering, session }: Page): TemplateResult | typeof nothing {
  const { live } = answering;
  const { state } = session;
  const last = conversation?.turns.findLast(({ facts }) => facts?.context !== undefined)?.facts?.context;
  if (last === undefined || state.kind !== "ready") return nothing;
  const isHere = live?.conversation === conversation?.id;
  const used = last + (isHere ? (live?.ids.length ?? 0) : 0);
  const length = state.model.contextLength;
  if (length === undefined || length >= ENDLESS)
    return html`<p class="context"><span>Context: ${number(used)} tokens${length ? ", no limit" : ""}</span></p>`;
  const share = Math.min(1, used / length);
  return html`
    <p class="context" title="When it is full, the oldest messages are left out.${isLocal(state.model) ? " Settings has its length." : ""}">
      <meter aria-label="Context used" min="0" max="1" high="0.75" .value=${share}></meter>
      <span>Context: ${number(used)} of ${number(length)} tokens</span>
    </p>`;
}

/** @param before how many turns the answer before did not see */
export function leftOutView(page: Page, leftOut = 0, before = 0): TemplateResult | typeof nothing {
  if (leftOut <= before) return nothing;
  const { state } = page.session;
  const length = state.kind === "ready" ? state.model.contextLength : undefined;
  return html`
    <p class="left-out" role="note">
      The context${length ? ` of ${number(length)} tokens` : ""} is full. From here on, the model does not see the first
      ${leftOut} messages. They stay in this conversation.
      ${
        state.kind === "ready" && isLocal(state.model)
          ? html`<button type="button" class="plain small" @click=${() => page.openSettings()}>Context length</button>`
          : nothing
      }
    </p>`;
}

const number = (value: number): string => value.toLocaleString("en");
