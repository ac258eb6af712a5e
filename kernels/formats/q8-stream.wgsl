// 32 weights of a row that a lane loads at once: weight[n, k] = q * scale[n, k / 32], q signed bytes.
@group(0) @binding(6) var<storage, read> weight: array<vec4u>;  // [N, K/16], 16 codes each
@group(0) @binding(7) var<storage, read> scale: array<u32>;     // [N, ceil(K/64)], two f16 a word

struct Strip { low: vec4u, high: vec4u, scales: vec2f }

fn strip(n: u32, round: u32, lane: u32) -> Strip {
  let low = min(64 * round + lane, K / 16 - 1);
  let high = min(64 * round + 32 + lane, K / 16 - 1);
  return Strip(
    weight[n * (K / 16) + low],
    weight[n * (K / 16) + high],
    vec2f(scale_of(n, low / 2), scale_of(n, high / 2)),
  );
}

fn scale_of(n: u32, g: u32) -> f32 {
  let pair = unpack2x16float(scale[n * ((K + 63) / 64) + g / 2]);
  return select(pair.x, pair.y, (g & 1) != 0);
}

/// The place of chunk c of a lane in a round, in units of 8 columns.
fn column8(lane: u32, c: u32) -> u32 { return c / 2 * 64 + 2 * lane + c % 2; }

/// q times 1, 256, 1, 256: byte i becomes bits of the f32 2^23, which converts it. The input is divided by
/// the same powers of two.
const INPUT_FACTORS = 1 / vec4f(1, 256, 1, 256);

fn strip8(w: Strip, c: u32) -> mat2x4f {
  let words = select(w.low, w.high, c >= 2);
  let pair = select(words.xy, words.zw, c % 2 != 0);
  return mat2x4f(codes4(pair.x), codes4(pair.y));
}

const CHUNKS_PER_SCALE = 2u;
fn strip_scale(w: Strip, c: u32) -> f32 { return select(w.scales.x, w.scales.y, c >= 2); }
const HAS_OFFSETS = false;
fn strip_offset(w: Strip) -> f32 { return 0; }

fn codes4(w: u32) -> vec4f {
  let q = w ^ 0x80808080;  // q + 128
  let bits = (vec4u(q, q, q >> 16, q >> 16) & vec4u(0xff, 0xff00, 0xff, 0xff00)) | vec4u(0x4b000000);
  return bitcast<vec4f>(bits) - (8388608 + 128 * vec4f(1, 256, 1, 256));
}
