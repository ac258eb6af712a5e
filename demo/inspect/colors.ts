// A colour for each key/value head; its query heads wear it.

/** Of a text's height of contrast on white, and on near-black in the dark. */
export function groupColor(group: number, groups: number): string {
  const hue = (35 + (360 * group) / groups) % 360;
  return `light-dark(oklch(0.52 0.14 ${hue}), oklch(0.76 0.13 ${hue}))`;
}

/** The key/value head that a query head reads. */
export const groupOf = (head: number, heads: number, groups: number): number =>
  Math.floor((head * groups) / heads);

/** A CSS colour as a canvas takes it, in the theme that `element` stands in. */
export function resolveColor(element: HTMLElement, color: string): string {
  const before = element.style.color;
  element.style.color = color;
  const resolved = getComputedStyle(element).color;
  element.style.color = before;
  return resolved;
}
