// As cache-f16.wgsl, read and stored 16 bytes at a time. Rows are a multiple of 16 bytes.
@group(0) @binding(1) var<storage, read_write> cache: array<vec4u>;  // [B, 2, G, S, CHUNKS], keys first

const CHUNK = 2u;  // vec4f of a chunk
alias Packed = vec4u;

fn packed_chunk(row: u32, c: u32) -> Packed { return cache[row * CHUNKS + c]; }

/// Entries 4i … 4i + 3 of a chunk.
fn entries(chunk: Packed, i: u32) -> vec4f {
  let four = select(chunk.xy, chunk.zw, i == 1);
  return vec4f(unpack2x16float(four.x), unpack2x16float(four.y));
}
