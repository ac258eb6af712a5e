// Rotate-half RoPE and the write of a query, key or value pair to where attention reads it.
override H: u32;              // query heads
override G: u32;              // key/value heads
override d: u32;              // head width
override d_STORED: u32;       // d rounded up to a multiple of 4
override S: u32;              // slots of the ring: position p lives in slot p mod S
override Q_STRIDE: u32;       // stored width of a query row
override ANGLE_ROWS: u32;     // rows of each half of the angle table

@group(0) @binding(2) var<storage, read> rows: array<vec4u>;         // [T] token, position, sequence, rows in this pass
@group(0) @binding(3) var<storage, read> angles: array<vec2f>;       // [2, ANGLE_ROWS, d/2] cos and sin of coarse, fine positions
@group(0) @binding(4) var<storage, read_write> q: array<f32>;        // [T, Q_STRIDE] as [H, d]
@group(0) @binding(5) var<storage, read_write> cache: array<f32>;    // [B, 2, G, S, d_STORED]

/// cos and sin of position * frequency i: (coarse + fine) by the sum formulas, both halves exact to f32.
fn angle(position: u32, i: u32) -> vec2f {
  let coarse = angles[(position / ANGLE_ROWS) * (d / 2) + i];
  let fine = angles[(ANGLE_ROWS + position % ANGLE_ROWS) * (d / 2) + i];
  return vec2f(coarse.x * fine.x - coarse.y * fine.y, coarse.y * fine.x + coarse.x * fine.y);
}

/// Entries i and i + d/2 of a head of token t. Heads count queries, then keys, then values.
fn write_pair(t: u32, head: u32, i: u32, pair: vec2f) {
  let position = rows[t].y;
  var value = pair;
  if (head < H + G) {
    let a = angle(position, i);
    value = vec2f(pair.x * a.x - pair.y * a.y, pair.y * a.x + pair.x * a.y);
  }
  if (head < H) {
    let at = t * Q_STRIDE + head * d + i;
    q[at] = value.x;
    q[at + d / 2] = value.y;
  } else {
    // Keys then values: heads H .. H+2G-1 are [2, G] in order.
    let at = ((rows[t].z * 2 * G + head - H) * S + position % S) * d_STORED + i;
    cache[at] = value.x;
    cache[at + d / 2] = value.y;
  }
}
