import { ANGLE_ROWS, type RopeSize } from "../rope.ts";

/**
 * RoPE: rotates the d entries of a query or key from `start` on, pairs of entries i and i + d/2, and
 * multiplies them by `scale`.
 * @param angles the table of kernels/rope.ts: the angle of a position is the sum of a coarse and a fine one
 */
export function turnHead(
  head: Float32Array,
  start: number,
  d: number,
  angles: Float32Array,
  position: number,
  scale: number,
): void {
  const half = d / 2;
  const coarse = Math.floor(position / ANGLE_ROWS) * d;
  const fine = (ANGLE_ROWS + (position % ANGLE_ROWS)) * d;
  for (let i = 0; i < half; i++) {
    const coarseCos = angles[coarse + 2 * i]!;
    const coarseSin = angles[coarse + 2 * i + 1]!;
    const fineCos = angles[fine + 2 * i]!;
    const fineSin = angles[fine + 2 * i + 1]!;
    const cos = scale * (coarseCos * fineCos - coarseSin * fineSin);
    const sin = scale * (coarseSin * fineCos + coarseCos * fineSin);
    const a = head[start + i]!;
    const b = head[start + i + half]!;
    head[start + i] = a * cos - b * sin;
    head[start + i + half] = b * cos + a * sin;
  }
}

/** The scale of rotated queries at a position. */
export const queryScaleAt = ({ queryScale }: RopeSize, position: number): number =>
  queryScale ? 1 + queryScale.beta * Math.log(1 + Math.floor(position / queryScale.originalMaxPositions)) : 1;
