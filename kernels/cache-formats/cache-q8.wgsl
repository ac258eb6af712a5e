// Keys and values of one layer as code * scale. A row has its codes, signed bytes, the lowest byte of a word
// first; then its scales, f32, one for 32 entries. Pad lanes of a row are zero.
override ROW: u32 = VECTORS + (VECTORS + 7) / 8;                   // words of a row

@group(0) @binding(1) var<storage, read_write> cache: array<u32>;  // [B, 2, G, S, ROW], keys first

/// Entries 4c … 4c + 3 of a stored row.
fn cached4(row: u32, c: u32) -> vec4f {
  let scale = bitcast<f32>(cache[row * ROW + VECTORS + c / 8]);
  return vec4f(unpack4xI8(cache[row * ROW + c])) * scale;
}
