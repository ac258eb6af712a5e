// Keys and values of one layer as f16, two to a word, the lower half first. Pad lanes of a row are zero.
@group(0) @binding(1) var<storage, read_write> cache: array<vec2u>;  // [B, 2, G, S, VECTORS], keys first

/// Entries 4c … 4c + 3 of a stored row.
fn cached4(row: u32, c: u32) -> vec4f {
  let four = cache[row * VECTORS + c];
  return vec4f(unpack2x16float(four.x), unpack2x16float(four.y));
}
