// 32 weights of a row that a lane loads at once: weight[n, k] = (q - 8) * scale[n, k / 32], q nibbles.
@group(0) @binding(6) var<storage, read> weight: array<vec4u>;  // [N, K/32], 32 codes each
@group(0) @binding(7) var<storage, read> scale: array<u32>;     // [N, ceil(K/64)], two f16 a word

struct Strip { words: vec4u, scale: f32 }

fn strip(n: u32, round: u32, lane: u32) -> Strip {
  let g = min(32 * round + lane, K / 32 - 1);
  let pair = unpack2x16float(scale[n * ((K + 63) / 64) + g / 2]);
  return Strip(weight[n * (K / 32) + g], select(pair.x, pair.y, (g & 1) != 0));
}

fn strip_scale(w: Strip, c: u32) -> f32 { return w.scale; }
const HAS_OFFSETS = false;
fn strip_offset(w: Strip) -> f32 { return 0; }

/// q - 8, times 1, 16, 256, 4096.
fn codes4(w: u32) -> vec4f {
  let bits = (vec4u(w) & vec4u(0xf, 0xf0, 0xf00, 0xf000)) | vec4u(0x4b000000);
  return bitcast<vec4f>(bits) - (8388608 + 8 * vec4f(1, 16, 256, 4096));
}
