// Keys and values of one layer as f16, four to two words, the lower half of a word first. Pad lanes of a row are zero.
@group(0) @binding(1) var<storage, read_write> cache: array<vec2u>;  // [B, 2, G, S, VECTORS], keys then values

/// Entries 4c … 4c + 3 of a stored row.
fn cached4(row: u32, c: u32) -> vec4f {
  let four = cache[row * VECTORS + c];
  return vec4f(unpack2x16float(four.x), unpack2x16float(four.y));
}
