// What the model looked at when it picked the chosen word: a layer's heads over the tokens they see.
import { html, nothing, type TemplateResult } from "lit";
import type { AttentionWeights } from "../../engine/index.ts";
import { percent } from "../format.ts";
import type { Line } from "./attention-plot.ts";
import { bars } from "./bars.ts";
import { groupColor, groupOf } from "./colors.ts";
import { type TokenTexts, visibleText } from "./token-texts.ts";

/** One head, or the mean of all. */
export type HeadChoice = number | "all";

/** Tokens shown with their text, the newest; and of the heaviest, rows of the table. */
const MAX_TOKENS = 400;
const MAX_ROWS = 8;

const color = (attention: AttentionWeights, head: number): string =>
  groupColor(groupOf(head, attention.heads, attention.groups), attention.groups);

function meanWeights(weights: readonly Float32Array[]): Float32Array {
  const mean = new Float32Array(weights[0]?.length ?? 0);
  for (const row of weights)
    row.forEach((weight, i) => {
      mean[i] = (mean[i] ?? 0) + weight / weights.length;
    });
  return mean;
}

export function attentionView(
  attention: AttentionWeights,
  choice: HeadChoice,
  context: readonly number[],
  texts: TokenTexts,
): TemplateResult {
  const { heads, groups, firstPosition } = attention;
  const shown = choice === "all" ? attention.weights.map((_, head) => head) : [choice];
  const lines: Line[] = shown.map((head) => ({
    label: `head ${head}`,
    color: color(attention, head),
    weights: attention.weights[head] ?? new Float32Array(),
  }));
  const weights = meanWeights(lines.map((line) => line.weights));
  const tint = choice === "all" ? "var(--i-soft)" : color(attention, choice);
  const visible = context.slice(firstPosition);
  const order = Array.from(weights.keys()).sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0));
  const rows = order.slice(0, MAX_ROWS).map((i) => ({
    label: `“${visibleText(texts.of(visible[i] ?? 0))}”`,
    note: `position ${firstPosition + i}`,
    value: weights[i] ?? 0,
    text: percent(weights[i] ?? 0),
    color: tint,
  }));
  const who = choice === "all" ? `the mean of ${heads} heads` : `head ${choice}`;
  return html`
    <sirocco-attention-plot .lines=${lines} .firstPosition=${firstPosition}></sirocco-attention-plot>
    <ul class="legend" aria-label="Key/value heads">
      ${Array.from({ length: groups }, (_, g) => legendOf(g, heads, groups))}
    </ul>
    ${seen(visible, weights, tint, texts)}
    ${bars(`Most attended of ${weights.length} visible tokens, ${who}`, ["Token", "Weight"], rows)}
  `;
}

/** The query heads of a key/value head are adjacent. */
function legendOf(group: number, heads: number, groups: number): TemplateResult {
  const first = (group * heads) / groups;
  const last = first + heads / groups - 1;
  const queries = first === last ? `head ${first}` : `heads ${first}–${last}`;
  return html`<li>
    <i .style=${`background: ${groupColor(group, groups)}`}></i>${queries}${groups > 1 ? html` <span class="soft">share key/value head ${group}</span>` : nothing}
  </li>`;
}

function seen(
  visible: readonly number[],
  weights: Float32Array,
  tint: string,
  texts: TokenTexts,
): TemplateResult {
  const from = Math.max(0, visible.length - MAX_TOKENS);
  const most = weights.reduce((a, b) => Math.max(a, b), 0);
  const token = (id: number, i: number) => {
    const share = most > 0 ? (weights[from + i] ?? 0) / most : 0;
    // Half of a colour leaves its text readable.
    const style = `background: color-mix(in oklab, ${tint} ${(45 * share).toFixed(1)}%, transparent)`;
    return html`<span .style=${style} title=${percent(weights[from + i] ?? 0)}>${visibleText(texts.of(id))}</span>`;
  };
  return html`
    ${from > 0 ? html`<p class="soft">The last ${MAX_TOKENS} of ${visible.length} visible tokens:</p>` : nothing}
    <div class="seen" role="group" tabindex="0" aria-label="Visible tokens, shaded by weight">${visible.slice(from).map(token)}</div>
  `;
}
