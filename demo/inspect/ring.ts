// The ring cache: position p lives in slot p mod S. What a slot holds follows from how many tokens there
// were.
import { html, type TemplateResult } from "lit";
import { digits } from "../format.ts";

export type SlotState = "empty" | "occupied" | "visible" | "newest";

export interface RingState {
  /** Slots. */
  readonly S: number;
  /** Window; null: all of the past is visible. */
  readonly W: number | null;
  /** Tokens so far. */
  readonly position: number;
}

export function slotState(slot: number, { S, W, position }: RingState): SlotState {
  const last = position - 1;
  if (last < 0 || slot > last) return "empty";
  if (slot === last % S) return "newest";
  // The newest position in this slot that is not past the last token.
  const held = last - ((last - slot) % S);
  return held > last - (W ?? S) ? "visible" : "occupied";
}

const CELLS = 512;
const WORTH: readonly SlotState[] = ["empty", "occupied", "visible", "newest"];

/** One cell a slot, or a cell for several neighbours: it shows the most telling one. */
export function cells(ring: RingState): SlotState[] {
  const count = Math.min(ring.S, CELLS);
  return Array.from({ length: count }, (_, cell) => {
    const end = Math.floor(((cell + 1) * ring.S) / count);
    let best = 0;
    for (let slot = Math.floor((cell * ring.S) / count); slot < end; slot++)
      best = Math.max(best, WORTH.indexOf(slotState(slot, ring)));
    return WORTH[best] ?? "empty";
  });
}

export function ringView(ring: RingState): TemplateResult {
  const { S, W, position } = ring;
  const visible = Math.min(position, W ?? S);
  const newest = position > 0 ? ` The newest is in slot ${(position - 1) % S}.` : "";
  const times = Math.floor(Math.max(0, position - 1) / S);
  const rolled = times > 0 ? ` The ring has rolled over ${times === 1 ? "once" : `${times} times`}.` : "";
  const said = `${position} tokens in ${S} slots, ${visible} visible to the next.${newest}${rolled}`;
  const perCell = S > CELLS ? ` A square is about ${digits(S / CELLS)} slots.` : "";
  return html`
    <p>${said}${perCell}</p>
    <div class="ring" role="img" aria-label=${said}>
      ${cells(ring).map((state) => html`<i class=${state}></i>`)}
    </div>
    <ul class="legend">
      <li><i class="newest"></i>newest</li>
      <li><i class="visible"></i>visible${W === null ? "" : ` (window of ${W})`}</li>
      <li><i class="occupied"></i>out of the window</li>
      <li><i class="empty"></i>empty</li>
    </ul>
  `;
}
