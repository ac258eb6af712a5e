// 32 weights of a row that a lane loads at once: a * q + b, (a, b) = pair_of(n, k / 32), q nibbles.
@group(0) @binding(6) var<storage, read> weight: array<vec4u>;  // [N, K/32], 32 codes each

struct Strip { words: vec4u, pair: vec2f }

fn strip(n: u32, round: u32, lane: u32) -> Strip {
  let g = min(32 * round + lane, K / 32 - 1);
  return Strip(weight[n * (K / 32) + g], pair_of(n, g));
}

fn strip_scale(w: Strip, c: u32) -> f32 { return w.pair.x; }

const HAS_OFFSETS = true;
fn strip_offset(w: Strip) -> f32 { return w.pair.y; }

/// q times 1, 16, 256, 4096.
fn codes4(w: u32) -> vec4f {
  let bits = (vec4u(w) & vec4u(0xf, 0xf0, 0xf00, 0xf000)) | vec4u(0x4b000000);
  return bitcast<vec4f>(bits) - 8388608;
}
