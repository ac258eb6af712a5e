// 32 weights of a row that a lane loads at once: a * q + b, (a, b) = scale[n, k / GROUP], q nibbles.
@group(0) @binding(6) var<storage, read> weight: array<vec4u>;  // [N, K/32], 32 codes each
@group(0) @binding(7) var<storage, read> scale: array<u32>;     // [N, ceil(K/GROUP)], two f16 a word

struct Strip { words: vec4u, pair: u32 }

fn strip(n: u32, round: u32, lane: u32) -> Strip {
  let g = min(32 * round + lane, K / 32 - 1);
  let pair = scale[n * ((K + GROUP - 1) / GROUP) + g / (GROUP / 32)];
  return Strip(weight[n * (K / 32) + g], pair);
}

/// The place of chunk c of a lane in a round, in units of 8 columns.
fn column8(lane: u32, c: u32) -> u32 { return 4 * lane + c; }

/// q times 1, 16, 256, 4096: nibble i becomes bits 4i … 4i + 3 of the f32 2^23, which converts it. The input
/// is divided by the same powers of two.
const INPUT_FACTORS = 1 / vec4f(1, 16, 256, 4096);

fn strip8(w: Strip, c: u32) -> mat2x4f {
  let pair = select(w.words.xy, w.words.zw, c >= 2);
  let word = select(pair.x, pair.y, c % 2 != 0);
  return mat2x4f(codes4(word), codes4(word >> 16));
}

const CHUNKS_PER_SCALE = 4u;
fn strip_scale(w: Strip, c: u32) -> f32 { return unpack2x16float(w.pair).x; }

const HAS_OFFSETS = true;
fn strip_offset(w: Strip) -> f32 { return unpack2x16float(w.pair).y; }

fn codes4(w: u32) -> vec4f {
  let bits = (vec4u(w) & vec4u(0xf, 0xf0, 0xf00, 0xf000)) | vec4u(0x4b000000);
  return bitcast<vec4f>(bits) - 8388608;
}
