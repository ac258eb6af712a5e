// weight[n, 32*g .. 32*g+31] = q * scale[n, g], q signed bytes, the lowest byte of a word first.
@group(0) @binding(6) var<storage, read> weight: array<vec4u>;  // [N, K/16], 16 codes each
@group(0) @binding(7) var<storage, read> scale: array<u32>;     // [N, ceil(K/64)], two f16 a word

/// The code that means zero.
const ZERO_CODE = 0;
alias Packed32 = Bytes32;

fn packed32(n: u32, g: u32) -> Packed32 {
  let at = 2 * (n * (K / 32) + g);
  return Bytes32(weight[at], weight[at + 1]);
}

/// 32 codes as bytes, in natural order.
fn bytes32(w: Packed32) -> Bytes32 { return w; }

fn scale_of(n: u32, g: u32) -> f32 {
  let pair = unpack2x16float(scale[n * ((K + 63) / 64) + g / 2]);
  return select(pair.x, pair.y, (g & 1) != 0);
}
