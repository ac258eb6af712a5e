// weight[n, k] = q, signed bytes, four a word, the lowest first; scale[n, k / 32] as f16.
@group(0) @binding(6) var<storage, read_write> weight: array<u32>;  // [N, K/4]
@group(0) @binding(7) var<storage, read_write> scale: array<u32>;   // [N, ceil(K/64)]

const BLOCK = 64u;
const CODES = 128;            // q is -128 .. 127
const FIRST_DIVISOR = 240u;   // scales tried: max |x| / 120, / 120.5, … / 128
const LAST_DIVISOR = 256u;
const DIVISOR_STEPS = 2u;

fn write_block(n: u32, block: u32, r: u32) {
  var scales = 0u;
  for (var half = 0u; half < 2 && BLOCK * block + 32 * half < width(); half++) {
    let k = BLOCK * block + 32 * half;
    scales |= quantise(r, k) << (16 * half);
    for (var i = 0u; i < 32; i += 4) {
      weight[(n * width() + k + i) / 4] = pack4xI8(vec4i(x[i], x[i + 1], x[i + 2], x[i + 3]));
    }
  }
  scale[n * blocks() + block] = scales;
}
