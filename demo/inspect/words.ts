// The answer's tokens to click, and what else each might have been.
import { html, nothing, type TemplateResult } from "lit";
import type { Candidate } from "../../engine/index.ts";
import { percent } from "../format.ts";
import { bars } from "./bars.ts";
import { type TokenTexts, visibleText } from "./token-texts.ts";

export function words(
  ids: readonly number[],
  chosen: number | undefined,
  texts: TokenTexts,
  choose: (index: number) => void,
): TemplateResult {
  return html`<div class="words" role="group" aria-label="Tokens of the answer">
    ${ids.map(
      (id, i) =>
        html`<button type="button" aria-pressed=${i === chosen} @click=${() => choose(i)}>${visibleText(texts.of(id))}</button>`,
    )}
  </div>`;
}

export function candidateBars(candidates: readonly Candidate[], chosen: number): TemplateResult {
  const total = candidates.reduce((sum, { probability }) => sum + probability, 0);
  const rank = candidates.findIndex(({ id }) => id === chosen);
  const rows = candidates.map(({ id, text, probability }) => ({
    label: `“${visibleText(text) || `‹${id}›`}”`,
    ...(id === chosen ? { note: "chosen" } : {}),
    value: probability,
    text: percent(probability),
    marked: id === chosen,
  }));
  return html`
    ${bars(`The ${candidates.length} likeliest, ${percent(total)} together`, ["Token", "Probability"], rows)}
    ${rank < 0 ? html`<p>The token that was chosen is not among them.</p>` : nothing}
  `;
}
