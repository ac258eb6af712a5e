// weight[n, 8*k8 .. 8*k8+7] = a * q + b, (a, b) = pair_of(n, k / 32), q nibbles, the lowest of a word first.
@group(0) @binding(6) var<storage, read> weight: array<u32>;  // [N, K/8], eight codes each

fn weight8(n: u32, k8: u32) -> mat2x4f {
  let w = weight[n * (K / 8) + k8];
  let pair = pair_of(n, k8 / 4);
  let low = vec4f((vec4u(w) >> vec4u(0, 4, 8, 12)) & vec4u(15));
  let high = vec4f((vec4u(w) >> vec4u(16, 20, 24, 28)) & vec4u(15));
  return mat2x4f(fma(pair.xxxx, low, pair.yyyy), fma(pair.xxxx, high, pair.yyyy));
}
