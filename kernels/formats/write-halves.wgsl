// weight[n, k] = half(value(r, k)), 16 bits each, the lower half of a word first
@group(0) @binding(6) var<storage, read_write> weight: array<u32>;  // [N, K/2]

const BLOCK = 64u;

fn write_block(n: u32, block: u32, r: u32) {
  let end = min(BLOCK * (block + 1), width());
  for (var k = BLOCK * block; k < end; k += 2) {
    weight[(n * width() + k) / 2] = half(value(r, k)) | (half(value(r, k + 1)) << 16);
  }
}
