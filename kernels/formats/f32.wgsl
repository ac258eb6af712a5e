// weight[n, 8*k8 .. 8*k8+7], stored as plain f32.
@group(0) @binding(6) var<storage, read> weight: array<vec4f>;  // [N, K]

alias Words8 = mat2x4f;

fn words8(n: u32, k8: u32) -> Words8 {
  let i = n * (K / 4) + 2 * k8;
  return mat2x4f(weight[i], weight[i + 1]);
}

fn unpack8(w: Words8) -> mat2x4f { return w; }
fn weight8(n: u32, k8: u32) -> mat2x4f { return words8(n, k8); }
