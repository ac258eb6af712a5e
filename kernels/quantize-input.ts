import { GROUP, padded } from "./formats/format.ts";
import type { Binding, Buffer, CodeOrder, Kernel } from "./kernel.ts";
import { type InputSize, inputBindings, inputConstants, inputContents } from "./matrix-input.ts";
import sum from "./snippets/sum.wgsl?raw";
import { tunedShader } from "./tuned-shader.ts";

const THREADS = 128;
/** The maximum of a group that is not taken for zero. */
const SMALLEST = 1e-30;

/** Words of the buffers of a quantised input. */
export const quantizedLengths = ({ T, K }: InputSize) => ({
  codes: (T * padded(K)) / 4,
  groups: (2 * T * padded(K)) / GROUP,
});

/** A quantised input: `codes`, u32 [T, K/4], and `groups`, f32 [T, K/32, 2]: scale and sum of the codes. */
export const quantizedBindings = (size: InputSize, slots: readonly [number, number]): Binding[] => {
  const { codes, groups } = quantizedLengths(size);
  return [
    { name: "codes", slot: slots[0], type: "u32", length: codes },
    { name: "groups", slot: slots[1], type: "f32", length: groups },
  ];
};

/**
 * The input of a matrix as bytes, a scale for 32 columns. Under RMSNorm the scales contain 1/rms: consumers
 * need not know of it. A group with an infinity or NaN gets the scale NaN.
 */
export function quantizeInput(order: CodeOrder, input: "plain" | "norm" = "plain"): Kernel<InputSize> {
  const norm = input === "norm";
  return {
    name: "quantize_input",
    variant: norm ? `${order}_norm` : order,
    source: [
      tunedShader("quantizeInput"),
      ...(norm ? [tunedShader("quantizeNorm"), sum] : [tunedShader("quantizePlain")]),
    ],
    cpu: { op: "quantize_input", order, input },
    testSizes: [
      { T: 1, K: 5 },
      { T: 3, K: 4389 },
    ],
    bindings: (size) => [
      ...inputBindings(size, input),
      ...quantizedBindings(size, [2, 3]).map((binding) => ({ ...binding, writes: true as const })),
    ],
    constants: (size) => ({ ...inputConstants(size, input), EVEN_ODD: order === "even_odd" ? 1 : 0 }),
    prelude: () => ({ THREADS }),
    workgroups: ({ T, K }) => [Math.ceil(padded(K) / GROUP / THREADS), T],
    fill: testContents,
    reference(size, x, ...buffers) {
      const { T, K, eps = 1e-5 } = size;
      const [gain, codes, groups] = norm ? buffers : [undefined, ...buffers];
      const stride = padded(K);
      for (let t = 0; t < T; t++) {
        const row = x!.subarray(t * stride, (t + 1) * stride);
        const squares = Array.from(row).reduce((total, v) => total + v * v, 0);
        const factor = gain ? 1 / Math.sqrt(squares / K + eps) : 1;
        for (let k = 0; k < stride; k += GROUP) {
          const values = Array.from({ length: GROUP }, (_, i) => row[k + i]! * (gain?.[k + i] ?? 1));
          const largest = Math.max(...values.map(Math.abs));
          const finite = largest < Infinity;
          const usable = finite && largest >= SMALLEST;
          const q = values.map((v) => (usable ? Math.round((v / largest) * 127) : 0));
          const group = (t * stride + k) / GROUP;
          groups![2 * group] = finite ? (usable ? (largest / 127) * factor : 0) : NaN;
          groups![2 * group + 1] = q.reduce((total, code) => total + code);
          packCodes(codes!.subarray((GROUP / 4) * group), q, order);
        }
      }
    },
  };
}

/** Stores codes of columns in `order`, four to a word. */
function packCodes(words: Buffer, q: readonly number[], order: CodeOrder): void {
  for (let i = 0; i < q.length; i += 4) {
    let word = 0;
    for (let j = 0; j < 4; j++) word |= (q[columnOf(i + j, order)]! & 0xff) << (8 * j);
    words[i / 4] = word;
  }
}

/** The column of the code at place i of a row. */
const columnOf = (i: number, order: CodeOrder): number =>
  order === "natural" ? i : i - (i % 8) + 2 * (i % 4) + ((i >> 2) & 1);

/**
 * Values near whole multiples of their scale, so that any correct division gives the same codes. From row 1
 * on some groups are awkward: zero, subnormal, large; in row 2 with infinity and NaN.
 */
function testContents({ T, K }: InputSize, name: string, random: () => number): Buffer | undefined {
  const gain = (k: number) => (k < K ? 2 ** ((k % 3) - 1) : 0);
  if (name === "gain") return Float32Array.from({ length: padded(K) }, (_, k) => gain(k));
  if (name !== "x") return undefined;
  const x = new Float32Array(T * padded(K));
  for (let t = 0; t < T; t++) {
    for (let k = 0; k < K; k++) {
      const g = Math.floor(k / GROUP);
      const scale = t === 0 ? 2 ** -(g % 9) / 100 : ([0, 1e-39, 300][g % 7] ?? 0.01);
      const value = k % GROUP === 0 ? 127 : (random() % 253) - 126 + 0.8 * (random() / 2 ** 32 - 0.5);
      x[t * padded(K) + k] = ((random() % 2 ? 1 : -1) * value * scale) / gain(k);
    }
  }
  if (T > 2 && K > 1000) {
    x[2 * padded(K) + 777] = NaN;
    x[2 * padded(K) + 888] = -Infinity;
  }
  return x;
}

/** Test contents of `codes` and `groups`: of the same random input. */
export function quantizedContents(size: InputSize, name: string, order: CodeOrder): Buffer | undefined {
  if (name !== "codes" && name !== "groups") return undefined;
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
  return quantized(size, inputContents(size, "x", random)!, order)[name];
}

/** The quantised input for rows of x. */
export function quantized(size: InputSize, x: Buffer, order: CodeOrder) {
  const { codes, groups } = quantizedLengths(size);
  const result = { codes: new Uint32Array(codes), groups: new Float32Array(groups) };
  quantizeInput(order).reference(size, x, result.codes, result.groups);
  return result;
}

/** Row t of the input that the codes stand for. */
export function dequantized(
  { K }: InputSize,
  t: number,
  codes: Buffer,
  groups: Buffer,
  order: CodeOrder,
): number[] {
  const row: number[] = [];
  for (let i = 0; i < padded(K); i++) {
    const at = t * padded(K) + i;
    const code = (codes[at >> 2]! << (24 - 8 * (at % 4))) >> 24;
    row[columnOf(i, order)] = code * groups[2 * Math.floor(at / GROUP)]!;
  }
  return row.slice(0, K);
}
