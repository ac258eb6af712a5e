// weight[n, k] = value(r, k)
@group(0) @binding(6) var<storage, read_write> weight: array<u32>;  // [N, K], f32 bits

fn write_block(n: u32, block: u32, r: u32) {
  let end = min(64 * block + 64, width());
  for (var k = 64 * block; k < end; k++) { weight[n * width() + k] = value(r, k); }
}
