// Keys and values of one layer as f32. Pad lanes of a row are zero.
@group(0) @binding(1) var<storage, read_write> cache: array<vec4f>;  // [B, 2, G, S, VECTORS], keys first

/// Entries 4c … 4c + 3 of a stored row.
fn cached4(row: u32, c: u32) -> vec4f { return cache[row * VECTORS + c]; }
