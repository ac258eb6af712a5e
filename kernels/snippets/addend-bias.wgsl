// For kernels made with a bias: one row for all tokens.
@group(0) @binding(5) var<storage, read> addend: array<f32>;  // [columns of the whole product]

/// A sum plus its addend. `column` counts the columns of the whole product.
fn with_addend(sum: f32, t: u32, column: u32) -> f32 { return sum + addend[column]; }
fn product_gain(t: u32, column: u32) -> f32 { return 1; }
