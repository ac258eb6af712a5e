// weight[n, 32*g .. 32*g+31] = a * q + b, (a, b) = scale[n, k / GROUP], q nibbles, the lowest first.
@group(0) @binding(6) var<storage, read> weight: array<vec4u>;  // [N, K/32], 32 codes each
@group(0) @binding(7) var<storage, read> scale: array<u32>;     // [N, ceil(K/GROUP)], two f16 a word

fn weight32(n: u32, g: u32) -> Weights32 {
  let w = weight[n * (K / 32) + g];
  let pair = unpack2x16float(scale[n * ((K + GROUP - 1) / GROUP) + g / (GROUP / 32)]);
  return Weights32(array(codes8(w.x), codes8(w.y), codes8(w.z), codes8(w.w)), pair.x, pair.y);
}
