// As cache-q8.wgsl, read and stored 16 bytes at a time. Rows have a multiple of four scales.
@group(0) @binding(1) var<storage, read_write> cache: array<vec4u>;  // [B, 2, G, S, UNITS], keys first

/// The first vector of a stored row.
fn row_start(row: u32) -> u32 { return row * (CHUNKS + CHUNKS / 8); }

const CHUNK = 4u;  // vec4f of a chunk
struct Packed { codes: vec4u, scale: f32 }

fn packed_chunk(row: u32, c: u32) -> Packed {
  let scale = cache[row_start(row) + CHUNKS + c / 8][c / 2 % 4];
  return Packed(cache[row_start(row) + c], bitcast<f32>(scale));
}

/// Entries 4i … 4i + 3 of a chunk.
fn entries(chunk: Packed, i: u32) -> vec4f { return vec4f(unpack4xI8(chunk.codes[i])) * chunk.scale; }
