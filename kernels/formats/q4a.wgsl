// weight[n, 8*k8 .. 8*k8+7] = a * q + b, (a, b) = scale[n, k / GROUP], q nibbles, the lowest of a word first.
@group(0) @binding(6) var<storage, read> weight: array<u32>;  // [N, K/8], eight codes each
@group(0) @binding(7) var<storage, read> scale: array<u32>;   // [N, ceil(K/GROUP)], two f16 a word

fn weight8(n: u32, k8: u32) -> mat2x4f {
  let w = weight[n * (K / 8) + k8];
  let pair = unpack2x16float(scale[n * ((K + GROUP - 1) / GROUP) + k8 / (GROUP / 8)]);
  let low = vec4f((vec4u(w) >> vec4u(0, 4, 8, 12)) & vec4u(15));
  let high = vec4f((vec4u(w) >> vec4u(16, 20, 24, 28)) & vec4u(15));
  return mat2x4f(fma(pair.xxxx, low, pair.yyyy), fma(pair.xxxx, high, pair.yyyy));
}
