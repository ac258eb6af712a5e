// Numbers as people read them.

const UNITS = ["bytes", "kB", "MB", "GB", "TB"] as const;

/** 14.5 GB: three digits, in the decimal units of disks and downloads. */
export function bytes(count: number): string {
  const power = count < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${power === 0 ? value : value.toPrecision(3).replace(/e\+?\d+$/, "")} ${UNITS[power]}`;
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
