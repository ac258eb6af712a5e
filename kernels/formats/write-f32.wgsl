// weight[n, k] = value(r, k)
@group(0) @binding(6) var<storage, read_write> weight: array<u32>;  // [N, K], f32 bits

const BLOCK = 64u;

fn write_block(n: u32, block: u32, r: u32) {
  let end = min(BLOCK * (block + 1), width());
  for (var k = BLOCK * block; k < end; k++) { weight[n * width() + k] = value(r, k); }
}
