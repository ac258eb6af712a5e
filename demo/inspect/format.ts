// Numbers as people read them.

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

export function bytes(count: number): string {
  const unit = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)));
  return unit === 0 ? `${count} bytes` : `${digits(count / 1000 ** unit)} ${UNITS[unit]}`;
}

export const milliseconds = (ms: number): string =>
  ms >= 1000 ? `${digits(ms / 1000)} s` : ms >= 1 ? `${digits(ms)} ms` : `${Math.round(ms * 1000)} µs`;

export const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 2 : 1)} %`;

/** Three digits. */
export const digits = (value: number): string =>
  value.toLocaleString("en", { maximumSignificantDigits: 3, useGrouping: false });
