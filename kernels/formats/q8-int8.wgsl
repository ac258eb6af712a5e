// weight[n, 8*k8 .. 8*k8+7] = q * scale[n, k / 32], q signed bytes, the lowest byte of a word first.
@group(0) @binding(6) var<storage, read> weight: array<vec2u>;  // [N, K/8], eight codes each
@group(0) @binding(7) var<storage, read> scale: array<u32>;     // [N, ceil(K/64)], two f16 a word

fn codes8(n: u32, k8: u32) -> vec2u { return weight[n * (K / 8) + k8]; }

fn scale_of(n: u32, g: u32) -> f32 {
  let pair = unpack2x16float(scale[n * ((K + 63) / 64) + g / 2]);
  return select(pair.x, pair.y, (g & 1) != 0);
}
