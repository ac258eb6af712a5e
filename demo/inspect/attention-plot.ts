// Attention weights over positions as lines, one for each head shown.
import { css, html, LitElement, unsafeCSS } from "lit";
import uPlot from "uplot";
import plotStyles from "uplot/dist/uPlot.min.css?inline";
import { resolveColor } from "./colors.ts";

export interface Line {
  readonly label: string;
  readonly color: string;
  readonly weights: Float32Array;
}

const HEIGHT = 190;

export class AttentionPlot extends LitElement {
  static override styles = [
    unsafeCSS(plotStyles),
    css`
      :host { display: block; min-block-size: ${HEIGHT}px; min-inline-size: 0; overflow: hidden; }
    `,
  ];
  static override properties = { lines: { attribute: false }, firstPosition: { attribute: false } };
  declare lines: readonly Line[];
  declare firstPosition: number;
  #plot: uPlot | undefined;
  readonly #resized = new ResizeObserver(() => this.#fit());
  readonly #themed = new MutationObserver(() => this.requestUpdate());
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");
  readonly #redraw = () => this.requestUpdate();

  constructor() {
    super();
    this.lines = [];
    this.firstPosition = 0;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#resized.observe(this);
    this.#themed.observe(document.documentElement, { attributes: true });
    this.#dark.addEventListener("change", this.#redraw);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resized.disconnect();
    this.#themed.disconnect();
    this.#dark.removeEventListener("change", this.#redraw);
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  override render() {
    return html`<div id="plot" aria-hidden="true"></div>`;
  }

  /** A canvas keeps the colours it was drawn with: so a new plot for new lines and for a new theme. */
  override updated(): void {
    const place = this.renderRoot.querySelector<HTMLElement>("#plot");
    this.#plot?.destroy();
    this.#plot = undefined;
    const visible = this.lines[0]?.weights.length ?? 0;
    if (!place || visible === 0) return;
    const text = resolveColor(this, "var(--i-soft)");
    const grid = { stroke: resolveColor(this, "var(--i-line)"), width: 1 };
    const axis = { stroke: text, grid, ticks: grid, font: "12px system-ui, sans-serif" };
    const positions = Float64Array.from({ length: visible }, (_, i) => this.firstPosition + i);
    this.#plot = new uPlot(
      {
        width: Math.max(120, this.clientWidth),
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false }, y: { range: (_, __, most) => [0, 1.05 * Math.max(most, 0.01)] } },
        axes: [
          { ...axis, label: "position", labelSize: 18, labelFont: axis.font, size: 32, incrs: WHOLE },
          {
            ...axis,
            size: 52,
            values: (_, shares) => shares.map((share) => `${+(100 * share).toFixed(1)} %`),
          },
        ],
        series: [
          {},
          ...this.lines.map(({ label, color }) => ({
            label,
            stroke: resolveColor(this, color),
            width: this.lines.length === 1 ? 2 : 1,
            points: { show: visible < 3 },
          })),
        ],
      },
      [positions, ...this.lines.map(({ weights }) => Array.from(weights))],
      place,
    );
  }

  #fit(): void {
    if (this.#plot && this.clientWidth > 0 && this.#plot.width !== this.clientWidth)
      this.#plot.setSize({ width: Math.max(120, this.clientWidth), height: HEIGHT });
  }
}

/** Positions are whole. */
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000, 1_000_000];
