// Numbers and tables as text.

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** "812 bytes", "13.5 GiB": three digits, powers of 1024. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  // 999.5 would round to four digits.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : threeDigits(value)} ${UNITS[unit]}`;
}

/** "7.24 billion", "5.3 million", "1,024". */
export function formatCount(count: number): string {
  if (count >= 1e9) return `${threeDigits(count / 1e9)} billion`;
  if (count >= 1e6) return `${threeDigits(count / 1e6)} million`;
  return count.toLocaleString("en-US");
}

/** "85 ms", "1.25 s", "4:05", "1:02:03". */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${threeDigits(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

/** Three significant digits without an exponent: 4.35, 43.5, 435. */
export function threeDigits(value: number): string {
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return value.toFixed(digits);
}

/** Rows of label and value, the values aligned; a value of several lines stays in its column. */
export function table(rows: readonly (readonly [label: string, value: string])[]): string {
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  const indent = `\n${" ".repeat(width)}`;
  return rows.map(([label, value]) => `${label.padEnd(width)}${value.replaceAll("\n", indent)}\n`).join("");
}

/** "a, b, c" in lines of at most `width` characters. */
export function wrapList(items: readonly string[], width: number): string {
  const lines = [""];
  for (const [i, item] of items.entries()) {
    const piece = i < items.length - 1 ? `${item},` : item;
    const line = lines.at(-1) as string;
    if (line === "" || line.length + 1 + piece.length > width) lines.push(piece);
    else lines[lines.length - 1] = `${line} ${piece}`;
  }
  return lines.filter(Boolean).join("\n");
}

/** Breaks lines that are longer than `width` between words, or within a word that is longer. */
export function wrapText(text: string, width: number): string {
  const wrapLine = (line: string): string[] => {
    if (line.length <= width) return [line];
    const space = line.lastIndexOf(" ", width);
    const end = space > 0 ? space : width;
    return [line.slice(0, end), ...wrapLine(line.slice(end).trimStart())];
  };
  return text.split("\n").flatMap(wrapLine).join("\n");
}
