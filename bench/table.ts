// A report as text: a header, then a table for each suite.
import { headerLines, heading, pivot, rowCells } from "./format.ts";
import { type Report, suiteNames } from "./result.ts";

export function renderTable(report: Report): string {
  const lines = headerLines(report).map(([label, value]) => `${label.padEnd(9)} ${value}`);
  for (const suite of suiteNames) {
    const results = report.results.filter((result) => result.suite === suite);
    if (results.length === 0) continue;
    const { params, names, rows } = pivot(results);
    lines.push(
      "",
      suite,
      ...alignColumns([
        [...params, ...names.map(heading)],
        ...rows.map((row) => rowCells(row, params, names)),
      ]),
    );
  }
  if (report.notes.length > 0) lines.push("", ...report.notes.map((note) => `note: ${note}`));
  if (report.interrupted) lines.push("", "Interrupted: some figures are missing.");
  return `${lines.join("\n")}\n`;
}

/** "", "40", "-1.5 %", "9.65 MB ±3%". */
const NUMBER = /^([-+]?[\d.]+( [kMGT]?B| %)?( ±\d+%)?)?$/;

/** Aligns text to the left and numbers to the right, with two spaces between columns. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...rows.map((row) => row[i]?.length ?? 0)),
  );
  // The first row is the heading.
  const numeric = widths.map((_, i) => rows.slice(1).every((row) => NUMBER.test(row[i] ?? "")));
  return rows.map((row) =>
    widths
      .map((width, i) => (numeric[i] ? (row[i] ?? "").padStart(width) : (row[i] ?? "").padEnd(width)))
      .join("  ")
      .trimEnd(),
  );
}
