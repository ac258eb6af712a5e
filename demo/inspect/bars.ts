// A table with a bar in each row: the plot and its text alternative in one.
import { html, nothing, type TemplateResult } from "lit";

export interface BarRow {
  readonly label: string;
  readonly value: number;
  readonly text: string;
  /** Shown next to the label. */
  readonly note?: string;
  readonly color?: string;
  readonly marked?: boolean;
}

export function bars(
  caption: string,
  [labels, values]: readonly [string, string],
  rows: readonly BarRow[],
): TemplateResult {
  const most = Math.max(...rows.map(({ value }) => value), Number.MIN_VALUE);
  const row = ({ label, value, text, note, color, marked }: BarRow) => html`
    <tr class=${marked ? "marked" : ""}>
      <th scope="row">${label}${note ? html` <span class="soft">${note}</span>` : nothing}</th>
      <td>
        <span class="value">${text}</span>
        <span
          class="bar"
          aria-hidden="true"
          .style=${`inline-size: ${(100 * value) / most}%; ${color ? `background: ${color}` : ""}`}
        ></span>
      </td>
    </tr>
  `;
  return html`
    <table class="bars">
      <caption>${caption}</caption>
      <thead><tr><th scope="col">${labels}</th><th scope="col">${values}</th></tr></thead>
      <tbody>${rows.map(row)}</tbody>
    </table>
  `;
}
