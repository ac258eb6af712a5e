// Chunks of four entries, for rows that cannot be read 16 bytes at a time, or that need not.
const CHUNK = 1u;  // vec4f of a chunk
alias Packed = vec4f;

fn packed_chunk(row: u32, c: u32) -> Packed { return cached4(row, c); }

fn entries(chunk: Packed, i: u32) -> vec4f { return chunk; }
