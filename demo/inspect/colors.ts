// A colour for each key/value head, shared by its query heads.

/** Of a text's height of contrast on white, and on near-black in the dark. */
export function groupColor(group: number, groups: number): string {
  const hue = (35 + (360 * group) / groups) % 360;
  return `light-dark(oklch(0.52 0.14 ${hue}), oklch(0.76 0.13 ${hue}))`;
}

/** The key/value head that a query head reads. */
export const groupOf = (head: number, heads: number, groups: number): number =>
  Math.floor((head * groups) / heads);

/** A CSS colour resolved for a canvas, in the theme of `element`. */
export function resolveColor(element: HTMLElement, color: string): string {
  const before = element.style.color;
  element.style.color = color;
  const resolved = getComputedStyle(element).color;
  element.style.color = before;
  return resolved;
}
