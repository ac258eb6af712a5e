// weight[n, 32*g .. 32*g+31] = (q - 8) * scale[n, g], q nibbles, the lowest nibble of a word first.
@group(0) @binding(6) var<storage, read> weight: array<vec4u>;  // [N, K/32], 32 codes each
@group(0) @binding(7) var<storage, read> scale: array<u32>;     // [N, ceil(K/64)], two f16 a word

const ZERO_CODE = 8.0;

fn weight32(n: u32, g: u32) -> Weights32 {
  let w = weight[n * (K / 32) + g];
  let pair = unpack2x16float(scale[n * ((K + 63) / 64) + g / 2]);
  let s = select(pair.x, pair.y, (g & 1) != 0);
  return Weights32(array(codes8(w.x), codes8(w.y), codes8(w.z), codes8(w.w)), s, -ZERO_CODE * s);
}
