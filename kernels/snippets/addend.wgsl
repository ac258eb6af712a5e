// For kernels made with an addend: one row for all tokens (a bias), or one row per token (a LoRA delta).
override ADDEND_STRIDE: u32;  // 0: the same row for all tokens; else the stored width of a row

@group(0) @binding(5) var<storage, read> addend: array<f32>;  // [ADDEND_STRIDE] or [T, ADDEND_STRIDE]

/// A sum plus its addend. `column` counts the columns of the whole product.
fn with_addend(sum: f32, t: u32, column: u32) -> f32 { return sum + addend[t * ADDEND_STRIDE + column]; }
