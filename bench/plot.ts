// Plots as SVG: bars with the range of their runs, and lines over a number. The page's style has the colours.
import { formatValue } from "./format.ts";
import type { Unit } from "./result.ts";

export interface Bar {
  readonly label: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Line {
  readonly label: string;
  readonly points: readonly {
    readonly x: number;
    readonly median: number;
    readonly min: number;
    readonly max: number;
  }[];
}

/** Width of a plot in its units: about that of a phone in pixels. */
const WIDTH = 360;

/** Escapes `<`, `>`, `&` and quotes, which names of models and adapters may contain. */
export const escapeText = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Horizontal bars from zero, one for each value. */
export function barPlot(title: string, unit: Unit, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ max }) => max)) || 1;
  const [left, right, line] = [4, 64, 38];
  const scale = (value: number) => left + (value / most) * (WIDTH - left - right);
  const drawn = bars.map(({ label, median, min, max }, i) => {
    const y = i * line;
    const middle = y + 24;
    return [
      text(left, y + 13, label),
      `<rect class="fill0" x="${left}" y="${y + 18}" width="${round(scale(median) - left)}" height="12" rx="2"/>`,
      min < max ? `<path class="range" d="M${round(scale(min))} ${middle}H${round(scale(max))}"/>` : "",
      text(round(scale(max)) + 5, middle + 4, formatValue(median, unit)),
    ].join("");
  });
  return svg(title, bars.length * line + 4, drawn.join(""));
}

/** Lines over a number. Both axes begin at zero; bands show the ranges of the runs. */
export function linePlot(title: string, unit: Unit, xLabel: string, lines: readonly Line[]): string {
  const points = lines.flatMap((line) => line.points);
  const [mostX, mostY] = [
    Math.max(...points.map(({ x }) => x)) || 1,
    Math.max(...points.map(({ max }) => max)) || 1,
  ];
  const [left, top, right, bottom] = [52, 8, 352, 168];
  const X = (x: number) => round(left + (x / mostX) * (right - left));
  const Y = (y: number) => round(bottom - (y / mostY) * (bottom - top));
  const grid = [0, 0.5, 1].map(
    (part) =>
      `<path class="grid" d="M${left} ${Y(part * mostY)}H${right}"/>${text(left - 6, Y(part * mostY) + 4, formatValue(part * mostY, unit), "end")}`,
  );
  const ticks = [0, mostX / 2, mostX].map((x, i) =>
    text(X(x), bottom + 16, String(Math.round(x)), i === 0 ? "start" : i === 2 ? "end" : "middle"),
  );
  const drawn = lines.map(({ label, points: line }, i) => {
    const band = [
      ...line.map(({ x, max }) => `${X(x)} ${Y(max)}`),
      ...line.toReversed().map(({ x, min }) => `${X(x)} ${Y(min)}`),
    ];
    const at = 208 + 18 * i;
    return [
      `<path class="band${i % 3}" d="M${band.join("L")}Z"/>`,
      `<path class="line${i % 3}" d="M${line.map(({ x, median }) => `${X(x)} ${Y(median)}`).join("L")}"/>`,
      ...line.map(({ x, median }) => `<circle class="fill${i % 3}" cx="${X(x)}" cy="${Y(median)}" r="2.5"/>`),
      `<path class="line${i % 3}" d="M${left} ${at - 4}h18"/>${text(left + 24, at, label)}`,
    ].join("");
  });
  const axis = text((left + right) / 2, bottom + 30, xLabel, "middle");
  return svg(title, 210 + 18 * (lines.length - 1), [...grid, ...ticks, axis, ...drawn].join(""));
}

const round = (value: number): number => Math.round(10 * value) / 10;

const text = (x: number, y: number, content: string, anchor = "start"): string =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${escapeText(content)}</text>`;

const svg = (title: string, height: number, content: string): string =>
  `<figure><figcaption>${escapeText(title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeText(title)}">${content}</svg></figure>`;
