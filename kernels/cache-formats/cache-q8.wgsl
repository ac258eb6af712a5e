// Keys and values of one layer as code * scale. A row has its codes, signed bytes, the lowest byte of a word
// first; then its scales, f32, one for 32 entries. Pad lanes of a row are zero.
@group(0) @binding(1) var<storage, read_write> cache: array<u32>;  // [B, 2, G, S, words], keys first

/// The first word of a stored row.
fn row_start(row: u32) -> u32 { return row * (VECTORS + (VECTORS + 7) / 8); }

/// Entries 4c … 4c + 3 of a stored row.
fn cached4(row: u32, c: u32) -> vec4f {
  let scale = bitcast<f32>(cache[row_start(row) + VECTORS + c / 8]);
  return vec4f(unpack4xI8(cache[row_start(row) + c])) * scale;
}
