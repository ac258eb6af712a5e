// The input of a matrix product as stored.
@group(0) @binding(0) var<storage, read> x: array<vec4f>;  // [T, K]

/// Entries 8*k8 .. 8*k8+7 of row t, token i of the block.
fn input8(i: u32, t: u32, k8: u32) -> Input8 {
  let at = t * (K / 4) + 2 * k8;
  let a = x[at];
  let b = x[at + 1];
  return Input8(mat2x4f(a, b), a + b);
}

fn input_squares(i: u32) -> f32 { return 0; }
fn input_factor(squares: f32) -> f32 { return 1; }
