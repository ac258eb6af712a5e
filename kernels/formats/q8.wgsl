// weight[n, 8*k8 .. 8*k8+7] = q * scale[n, k / 32], q signed bytes, the lowest byte of a word first.
@group(0) @binding(6) var<storage, read> weight: array<vec2u>;  // [N, K/8], eight codes each
@group(0) @binding(7) var<storage, read> scale: array<u32>;     // [N, ceil(K/64)], two f16 a word

fn weight8(n: u32, k8: u32) -> mat2x4f {
  let w = weight[n * (K / 8) + k8];
  let pair = unpack2x16float(scale[n * ((K + 63) / 64) + k8 / 8]);
  let s = select(pair.x, pair.y, (k8 & 4) != 0);
  return mat2x4f(s * vec4f(unpack4xI8(w.x)), s * vec4f(unpack4xI8(w.y)));
}
