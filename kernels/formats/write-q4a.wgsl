// weight[n, k] = q, nibbles, eight a word, the lowest first; scale[n, k / GROUP] = the f16 a and b of a pair.
// Columns that pad a row are no part of the search; their codes are 0.
@group(0) @binding(6) var<storage, read_write> weight: array<u32>;  // [N, K/8]
@group(0) @binding(7) var<storage, read_write> scale: array<u32>;   // [N, ceil(K/GROUP)]

const BLOCK = max(GROUP, 64u);
const HIGHEST_OFFSET = 1 << 20;  // none

fn write_block(n: u32, block: u32, r: u32) {
  for (var k = BLOCK * block; k < min(BLOCK * (block + 1), width()); k += GROUP) {
    let count = min(GROUP, columns() - k);
    let exponent = load_group(r, k, count);
    let pair = search_pair(count, exponent);
    let bits = f16_bits(pair.x, exponent) | (f16_bits(pair.y, exponent) << 16);
    scale[n * ((width() + GROUP - 1) / GROUP) + k / GROUP] = bits;
    write_codes(n, k, count, pair);
  }
}
