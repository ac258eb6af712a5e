// weight[n, 32*g .. 32*g+31] = a * q + b, (a, b) = pair_of(n, g), q nibbles, the lowest first.
@group(0) @binding(6) var<storage, read> weight: array<vec4u>;  // [N, K/32], 32 codes each

fn weight32(n: u32, g: u32) -> Weights32 {
  let w = weight[n * (K / 32) + g];
  let pair = pair_of(n, g);
  return Weights32(array(codes8(w.x), codes8(w.y), codes8(w.z), codes8(w.w)), pair.x, pair.y);
}
