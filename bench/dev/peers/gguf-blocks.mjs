// Rows of floats as GGUF's blocks (ggml's ggml-common.h). Both engines read the same file, so simple rounding
// will do: no error is minimised.

/**
 * @typedef {object} BlockType
 * @property {number} id of ggml
 * @property {number} length values of a block
 * @property {number} bytes of a block
 * @property {(block: Float32Array, to: DataView) => void} write
 */

/** @type {Readonly<Record<"F32" | "Q4_0" | "Q8_0" | "Q4_K" | "Q6_K", BlockType>>} */
export const blockTypes = {
  F32: { id: 0, length: 1, bytes: 4, write: ([x = 0], to) => to.setFloat32(0, x, true) },
  // f16 d; then code + 8 of values 0 … 15 in the lower nibbles, of 16 … 31 in the upper.
  Q4_0: {
    id: 2,
    length: 32,
    bytes: 18,
    write(x, to) {
      const d = setF16(to, 0, largest(x) / 7);
      const code = (/** @type {number} */ i) => clamp(divided(x[i], d) + 8, 0, 15);
      for (let i = 0; i < 16; i++) to.setUint8(2 + i, code(i) | (code(i + 16) << 4));
    },
  },
  Q8_0: {
    id: 8,
    length: 32,
    bytes: 34,
    write(x, to) {
      const d = setF16(to, 0, largest(x) / 127);
      for (let i = 0; i < 32; i++) to.setInt8(2 + i, clamp(divided(x[i], d), -127, 127));
    },
  },
  // f16 d, f16 dmin; 6-bit scales and minimums of 8 groups of 32 in 12 bytes; nibbles of two groups in 32
  // bytes. A value is d·scale·q − dmin·minimum.
  Q4_K: {
    id: 12,
    length: 256,
    bytes: 144,
    write(x, to) {
      const groups = Array.from({ length: 8 }, (_, j) => x.subarray(32 * j, 32 * j + 32));
      const least = groups.map((group) => Math.max(0, -Math.min(...group)));
      const steps = groups.map((group, j) => (Math.max(...group) + (least[j] ?? 0)) / 15);
      const d = setF16(to, 0, Math.max(...steps) / 63);
      const dmin = setF16(to, 2, Math.max(...least) / 63);
      const scales = steps.map((step) => clamp(divided(step, d), 0, 63));
      const minimums = least.map((value) => clamp(divided(value, dmin), 0, 63));
      for (let j = 0; j < 4; j++) {
        const [scale = 0, minimum = 0] = [scales[j], minimums[j]];
        const [later = 0, laterMinimum = 0] = [scales[j + 4], minimums[j + 4]];
        to.setUint8(4 + j, scale | ((later >> 4) << 6));
        to.setUint8(8 + j, minimum | ((laterMinimum >> 4) << 6));
        to.setUint8(12 + j, (later & 15) | ((laterMinimum & 15) << 4));
      }
      const code = (/** @type {number} */ j, /** @type {number} */ i) => {
        const shifted = (x[32 * j + i] ?? 0) + dmin * (minimums[j] ?? 0);
        return clamp(divided(shifted, d * (scales[j] ?? 0)), 0, 15);
      };
      for (let pair = 0; pair < 4; pair++)
        for (let i = 0; i < 32; i++)
          to.setUint8(16 + 32 * pair + i, code(2 * pair, i) | (code(2 * pair + 1, i) << 4));
    },
  },
  // Lower 4 bits in 128 bytes, upper 2 in 64, int8 scales of 16 groups of 16, f16 d. A value is
  // d·scale·(q − 32).
  Q6_K: {
    id: 14,
    length: 256,
    bytes: 210,
    write(x, to) {
      const steps = Array.from({ length: 16 }, (_, j) => largest(x.subarray(16 * j, 16 * j + 16)) / 31);
      const d = setF16(to, 208, Math.max(...steps) / 127);
      const scales = steps.map((step) => clamp(divided(step, d), 0, 127));
      for (const [j, scale] of scales.entries()) to.setInt8(192 + j, scale);
      const code = (/** @type {number} */ i) => clamp(divided(x[i], d * (scales[i >> 4] ?? 0)), -32, 31) + 32;
      for (let half = 0; half < 2; half++) {
        for (let l = 0; l < 32; l++) {
          const codes = [0, 32, 64, 96].map((shift) => code(128 * half + shift + l));
          const [a = 0, b = 0, c = 0, e = 0] = codes;
          to.setUint8(64 * half + l, (a & 15) | ((c & 15) << 4));
          to.setUint8(64 * half + 32 + l, (b & 15) | ((e & 15) << 4));
          to.setUint8(128 + 32 * half + l, (a >> 4) | ((b >> 4) << 2) | ((c >> 4) << 4) | ((e >> 4) << 6));
        }
      }
    },
  },
};

const largest = (/** @type {Float32Array} */ values) =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

const divided = (/** @type {number | undefined} */ value = 0, /** @type {number} */ by) =>
  by === 0 ? 0 : Math.round(value / by);

const clamp = (/** @type {number} */ value, /** @type {number} */ least, /** @type {number} */ most) =>
  Math.min(most, Math.max(least, value));

/** Writes the nearest f16 of a number from 0 to 65504. @returns what was written */
function setF16(/** @type {DataView} */ to, /** @type {number} */ at, /** @type {number} */ value) {
  // Below 2^-14 the step between two numbers stays the same.
  const exponent = Math.max(-14, Math.floor(Math.log2(value)));
  const steps = Math.round(value / 2 ** (exponent - 10));
  to.setUint16(at, ((exponent + 14) << 10) + steps, true);
  return steps * 2 ** (exponent - 10);
}
