// weight[n, 32*g .. 32*g+31] = q * scale[n, g], q signed bytes, the lowest byte of a word first.
@group(0) @binding(6) var<storage, read> weight: array<vec4u>;  // [N, K/16], 16 codes each
@group(0) @binding(7) var<storage, read> scale: array<u32>;     // [N, ceil(K/64)], two f16 a word

fn codes8(low: u32, high: u32) -> mat2x4f { return mat2x4f(vec4f(unpack4xI8(low)), vec4f(unpack4xI8(high))); }

fn weight32(n: u32, g: u32) -> Weights32 {
  let a = weight[n * (K / 16) + 2 * g];
  let b = weight[n * (K / 16) + 2 * g + 1];
  let pair = unpack2x16float(scale[n * ((K + 63) / 64) + g / 2]);
  return Weights32(
    array(codes8(a.x, a.y), codes8(a.z, a.w), codes8(b.x, b.y), codes8(b.z, b.w)),
    select(pair.x, pair.y, (g & 1) != 0),
    0.0,
  );
}
