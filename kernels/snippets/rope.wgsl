// Rotate-half RoPE of a pair of entries of a query, key or value head.
override H: u32;              // query heads
override G: u32;              // key/value heads
override d: u32;              // head width
override QKV_STRIDE: u32;     // stored width of a row of qkv
override ANGLE_ROWS: u32;     // rows of each half of the angle table
override QUERY_BETA: f32 = 0;  // queries are scaled by 1 + QUERY_BETA ln(1 + floor(position / ORIGINAL))
override ORIGINAL: u32 = 1;

@group(0) @binding(2) var<storage, read> rows: array<vec4u>;    // [T] id, position, ring, tokens in this pass
@group(0) @binding(3) var<storage, read> angles: array<vec2f>;  // [2, ANGLE_ROWS, d/2] cos, sin: coarse, fine

/// Complex product: `a` turned by the angle whose cos and sin are `b`. By fma, as in dot8.wgsl.
fn times(a: vec2f, b: vec2f) -> vec2f { return vec2f(fma(a.x, b.x, -(a.y * b.y)), fma(a.y, b.x, a.x * b.y)); }

/// cos and sin of position * frequency i, from the coarse and the fine angle by the sum formulas. Both are
/// exact to f32.
fn angle(position: u32, i: u32) -> vec2f {
  let coarse = angles[(position / ANGLE_ROWS) * (d / 2) + i];
  let fine = angles[(ANGLE_ROWS + position % ANGLE_ROWS) * (d / 2) + i];
  return times(coarse, fine);
}

/// Entries i and i + d/2 of a head of token t, rotated. Heads count queries, then keys, then values; values
/// stay.
fn turned(t: u32, head: u32, i: u32, pair: vec2f) -> vec2f {
  if (head >= H + G) { return pair; }
  let position = rows[t].y;
  let a = angle(position, i);
  let value = times(pair, a);
  if (QUERY_BETA == 0 || head >= H) { return value; }
  return value * (1 + QUERY_BETA * log(f32(1 + position / ORIGINAL)));
}
