// For kernels made with the delta of a LoRA adapter: a row for each token, as lora-b.wgsl writes it.
override ADDEND_STRIDE: u32;  // stored width of a row

@group(0) @binding(5) var<storage, read> addend: array<vec2f>;  // [T, ADDEND_STRIDE] gain, delta

/// A sum plus its addend. `column` counts the columns of the whole product.
fn with_addend(sum: f32, t: u32, column: u32) -> f32 { return sum + addend[t * ADDEND_STRIDE + column].y; }

/// What the product is multiplied by, before the addend: 1 but for DoRA.
fn product_gain(t: u32, column: u32) -> f32 { return addend[t * ADDEND_STRIDE + column].x; }
