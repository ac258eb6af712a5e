// weight[n, k] = q + 8, nibbles, eight a word, the lowest first; scale[n, k / 32] as f16.
@group(0) @binding(6) var<storage, read_write> weight: array<u32>;  // [N, K/8]
@group(0) @binding(7) var<storage, read_write> scale: array<u32>;   // [N, ceil(K/64)]

const BLOCK = 64u;
const CODES = 8;             // q is -8 .. 7
const FIRST_DIVISOR = 24u;   // scales tried: max |x| / 6, / 6.25, … / 9
const LAST_DIVISOR = 36u;
const DIVISOR_STEPS = 4u;

fn write_block(n: u32, block: u32, r: u32) {
  var scales = 0u;
  for (var half = 0u; half < 2 && BLOCK * block + 32 * half < width(); half++) {
    let k = BLOCK * block + 32 * half;
    scales |= quantise(r, k) << (16 * half);
    for (var word = 0u; word < 4; word++) {
      var codes = 0u;
      for (var j = 0u; j < 8; j++) { codes |= u32(x[8 * word + j] + 8) << (4 * j); }
      weight[(n * width() + k) / 8 + word] = codes;
    }
  }
  scale[n * blocks() + block] = scales;
}
