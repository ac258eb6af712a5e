// weight[n, 8*k8 .. 8*k8+7] = (q - 8) * scale[n, k / 32], q nibbles, the lowest nibble of a word first.
@group(0) @binding(6) var<storage, read> weight: array<u32>;  // [N, K/8], eight codes each
@group(0) @binding(7) var<storage, read> scale: array<u32>;   // [N, ceil(K/64)], two f16 a word

fn weight8(n: u32, k8: u32) -> mat2x4f {
  let w = weight[n * (K / 8) + k8];
  let pair = unpack2x16float(scale[n * ((K + 63) / 64) + k8 / 8]);
  let s = select(pair.x, pair.y, (k8 & 4) != 0);
  let low = vec4f((vec4u(w) >> vec4u(0, 4, 8, 12)) & vec4u(15)) - 8.0;
  let high = vec4f((vec4u(w) >> vec4u(16, 20, 24, 28)) & vec4u(15)) - 8.0;
  return mat2x4f(s * low, s * high);
}
