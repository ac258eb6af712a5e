@group(0) @binding(0) var<storage, read> x: array<vec4f>;  // [T, K]

/// Entries 8*k8 .. 8*k8+7 of row t.
fn input8(t: u32, k8: u32) -> mat2x4f {
  let at = t * (K / 4) + 2 * k8;
  return mat2x4f(x[at], x[at + 1]);
}

fn row_factor(t: u32, thread: u32) -> f32 { return 1; }
