// Random weights that every engine represents exactly: in groups of 32 along a row, each value is a code -7 …
// 7 times the group's scale. Every group has a ±7, so a quantiser that minimises the error finds the same
// scale. Scales have five bits of mantissa, so code times scale is exact in bf16.
import { tensorsOf } from "../mistral.mjs";

/** @typedef {import("../mistral.mjs").Shape} Shape */
/** @typedef {import("../mistral.mjs").Tensor} Tensor */

/** @type {Record<string, Shape>} */
export const shapes = {
  // Mistral 7B at a quarter of its width, with a quarter of its layers: 174 M parameters.
  quarter: { L: 8, D: 1024, H: 8, G: 2, d: 128, F: 3584, V: 32000, W: null },
  // For a quick test of the program: its figures mean nothing.
  tiny: { L: 2, D: 256, H: 2, G: 1, d: 128, F: 1024, V: 4096, W: null },
};

export const GROUP = 32;

/**
 * @typedef {object} Matrix N×K
 * @property {number} N @property {number} K
 * @property {(n: number, k: number) => number} code -7 … 7
 * @property {(n: number, group: number) => number} scale of columns 32·group … 32·group + 31
 */

/** A matrix by its name. @returns {Matrix} */
export function matrix(/** @type {Shape} */ shape, /** @type {string} */ name) {
  const [N = 0, K = 0] = find(shape, name).shape;
  const next = generator(name);
  const codes = new Int8Array(N * K);
  for (let i = 0; i < codes.length; i += 2) {
    const bits = next();
    codes[i] = i % GROUP === 0 ? (bits & 1 ? 7 : -7) : (((bits >>> 16) * 15) >>> 16) - 7;
    codes[i + 1] = (((bits & 0xffff) * 15) >>> 16) - 7;
  }
  // Codes have a root mean square of 4.3, mantissas a mean of 24.
  const exponent = Math.round(Math.log2(deviation(name, K) / 4.3 / 24));
  const scales = new Float32Array(codes.length / GROUP);
  for (let i = 0; i < scales.length; i++) scales[i] = (16 + (next() >>> 28)) * 2 ** exponent;
  if (name.includes("lm_head")) followTokens(shape, codes, K);
  return {
    N,
    K,
    code: (n, k) => codes[n * K + k] ?? 0,
    scale: (n, group) => scales[(n * K) / GROUP + group] ?? 0,
  };
}

/** The floats of a matrix by its name, [N, K]. */
export function values(/** @type {Shape} */ shape, /** @type {string} */ name) {
  const { N, K, code, scale } = matrix(shape, name);
  const floats = new Float32Array(N * K);
  for (let n = 0; n < N; n++) {
    for (let k = 0; k < K; k++) floats[n * K + k] = code(n, k) * scale(n, Math.floor(k / GROUP));
  }
  return floats;
}

/** One group in this many of a row of the head is copied. */
const COPIED = 3;

/**
 * Makes logits that stand out, as a trained model's do: without it all tokens are about as likely, and noise
 * decides which is the likeliest. Parts of a token's row in the head are those of the token before it in the
 * embedding, so that each token calls for the next.
 * @param {Shape} shape @param {Int8Array} codes @param {number} K
 */
function followTokens(shape, codes, K) {
  const embedding = matrix(shape, "model.embed_tokens.weight");
  for (let n = 1; n < shape.V; n++)
    for (let k = 0; k < K; k++)
      if (Math.floor(k / GROUP) % COPIED === 0) codes[n * K + k] = embedding.code(n - 1, k);
}

/** The weight of a norm by its name, [D]: around 1, exact in bf16. */
export function norm(/** @type {Shape} */ shape, /** @type {string} */ name) {
  const next = generator(name);
  return Float32Array.from({ length: find(shape, name).shape[0] ?? 0 }, () => (112 + (next() >>> 27)) / 128);
}

export const isNorm = (/** @type {string} */ name) => /norm\.weight$/.test(name);

function find(/** @type {Shape} */ shape, /** @type {string} */ name) {
  const found = tensorsOf(shape).find((tensor) => tensor.name === name);
  if (!found) throw new Error(`peers: no tensor ${name}`);
  return found;
}

/** Standard deviation of a matrix: large enough that logits differ, small enough that no layer dominates. */
function deviation(/** @type {string} */ name, /** @type {number} */ K) {
  if (name.includes("embed_tokens")) return 1;
  return (name.includes("lm_head") ? 2 : 1) / Math.sqrt(K);
}

/** mulberry32 seeded by a name: uniform u32. */
function generator(/** @type {string} */ name) {
  let state = 0;
  for (const letter of name) state = Math.imul(state ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
