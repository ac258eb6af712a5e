// Formats numbers for people.

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/** "14.5 GB", in decimal units, as for disks and downloads. */
export function bytes(count: number): string {
  const unit = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)));
  return unit === 0 ? `${count} bytes` : `${digits(count / 1000 ** unit)} ${UNITS[unit]}`;
}

export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(seconds / 3600).toFixed(1)} h`;
}

export function count(number: number): string {
  return number >= 1e9 ? `${(number / 1e9).toFixed(1)} B` : `${(number / 1e6).toFixed(1)} M`;
}

export const milliseconds = (ms: number): string =>
  ms >= 1000 ? `${digits(ms / 1000)} s` : ms >= 1 ? `${digits(ms)} ms` : `${Math.round(ms * 1000)} µs`;

export const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 2 : 1)} %`;

/** Three significant digits. */
export const digits = (value: number): string =>
  value.toLocaleString("en", { maximumSignificantDigits: 3, useGrouping: false });
